"""What a search may choose from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from adapters.errors import RecipeError
from adapters.training.recipe import Recipe

_ATTENTION = "q_proj,k_proj,v_proj,o_proj"


class Space(BaseModel):
    """Each list is a choice; `learning_rate` is a range on a logarithmic scale. Targets are comma-separated modules."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    r: tuple[Annotated[int, Field(ge=1, le=256)], ...] = Field(default=(4, 8, 16, 32), min_length=1)
    alpha_over_r: tuple[Annotated[int, Field(ge=1)], ...] = Field(default=(1, 2, 4), min_length=1)
    targets: tuple[str, ...] = Field(
        default=("q_proj,v_proj", _ATTENTION, f"{_ATTENTION},gate_proj,up_proj,down_proj"), min_length=1
    )
    learning_rate: tuple[float, float] = (2e-4, 3e-3)

    @model_validator(mode="after")
    def _range(self) -> Self:
        low, high = self.learning_rate
        if not 0 < low <= high:
            raise ValueError("learning_rate is [lowest, highest], both above zero")
        return self


def read_space(path: Path | None) -> Space:
    """The space in a YAML file, or the default one. Raises RecipeError with one sentence."""
    if path is None:
        return Space()
    try:
        return Space.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise RecipeError(f"The search space {path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"The search space {path} is not YAML: {' '.join(str(error).split())}.") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise RecipeError(f"The search space {path} is wrong at {place}: {first['msg']}.") from error


def suggest(trial: Any, space: Space) -> dict[str, Any]:
    """One point, by optuna's `trial`."""
    low, high = space.learning_rate
    return {
        "r": trial.suggest_categorical("r", list(space.r)),
        "alpha_over_r": trial.suggest_categorical("alpha_over_r", list(space.alpha_over_r)),
        "targets": trial.suggest_categorical("targets", list(space.targets)),
        "learning_rate": trial.suggest_float("learning_rate", low, high, log=True),
    }


def with_point(recipe: Recipe, point: Mapping[str, Any]) -> Recipe:
    """The recipe at a point of the space."""
    lora = recipe.lora.model_copy(
        update={
            "r": point["r"],
            "alpha": point["r"] * point["alpha_over_r"],
            "targets": tuple(name.strip() for name in point["targets"].split(",")),
        }
    )
    optimization = recipe.optimization.model_copy(update={"learning_rate": point["learning_rate"]})
    return recipe.model_copy(update={"lora": lora, "optimization": optimization})

"""A training recipe: everything that the weights depend on, in one YAML file."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.data.documents import DOCUMENT_NAMES, DocumentName
from adapters.errors import RecipeError

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Lora(_Strict):
    """The adapter's shape. `alpha / r` scales its product (Hu et al. 2021, arXiv 2106.09685)."""

    r: int = Field(default=16, ge=1, le=256)
    alpha: int = Field(default=32, ge=1)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    targets: tuple[str, ...] = ("q_proj", "v_proj")


class Hardness(_Strict):
    """Shares of training values that are made harder than the cards print them (adapters/training/harder.py)."""

    hide: float = Field(default=0.0, ge=0, le=0.9, description="taken away, with their lines")
    split: float = Field(default=0.0, ge=0, le=0.9, description="broken over two lines")
    glue: float = Field(default=0.0, ge=0, le=0.9, description="joined to the label above")


class Data(_Strict):
    """What it learns from. `text` samples are modelled OCR lines, `recorded` files hold real ones of rendered cards."""

    documents: tuple[DocumentName, ...] = DOCUMENT_NAMES
    text: int = Field(default=6000, ge=0, description="modelled samples, all documents together")
    recorded: tuple[str, ...] = Field(
        default=(), description="JSON Lines files (.jsonl or .jsonl.gz) beside the recipe"
    )
    recorded_repeats: int = Field(default=1, ge=1, description="passes over the recorded samples")
    harder: Hardness = Hardness()
    validation: int = Field(default=120, ge=4, description="modelled samples of unseen people, all documents together")


class Optimization(_Strict):
    """AdamW with a linear warm-up and a cosine decay to a tenth."""

    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    warmup_share: float = Field(default=0.03, ge=0, lt=1)
    batch: int = Field(default=8, ge=1, description="samples a step")
    clip: float = Field(default=1.0, gt=0, description="largest gradient norm")


class Recipe(_Strict):
    """`python -m adapters train RECIPE.yaml`."""

    name: Name
    base: str = "embedded"
    method: Literal["lora"] = "lora"
    seed: int = 20261121
    lora: Lora = Lora()
    data: Data = Data()
    optimization: Optimization = Optimization()
    start_from: str | None = Field(default=None, description="a revision folder, beside the recipe's, to go on from")
    evaluate_every: int = Field(default=100, ge=1, description="steps between two looks at the validation samples")
    checkpoint_every: int = Field(default=100, ge=1, description="steps between two checkpoints")


def read_recipe(path: Path) -> Recipe:
    """The recipe in `path`. Raises RecipeError with one sentence that names the first thing wrong."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"The recipe {path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"The recipe {path} is not YAML: {' '.join(str(error).split())}.") from error
    try:
        recipe = Recipe.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise RecipeError(
            f"The recipe {path} is wrong at {place}: {first['msg']} (found: {first['input']!r})."
        ) from error
    named = [*recipe.data.recorded, *([f"{recipe.start_from}/adapter_model.safetensors"] if recipe.start_from else [])]
    missing = [name for name in named if not (path.parent / name).is_file()]
    if missing:
        raise RecipeError(f"The recipe {path} names {missing[0]}, which is not there.")
    return recipe

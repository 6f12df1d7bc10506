"""Recipes and document files, read: what is wrong with one is one sentence."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from adapters.errors import RecipeError
from adapters.training.recipe import Recipe
from ocr_frontend.documents.spec import parse_spec


def read_recipe(path: Path) -> Recipe:
    """The recipe in `path`. Raises RecipeError with one sentence that names the first thing wrong."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and isinstance(content.get("document"), str):
            content["document"] = read_document(path.parent / content["document"])
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
            f"The recipe {path} is wrong at {place}: {first['msg']} (found: {_shown(first['input'])})."
        ) from error
    named = [*recipe.data.recorded, *([f"{recipe.start_from}/adapter_model.safetensors"] if recipe.start_from else [])]
    missing = [name for name in named if not (path.parent / name).is_file()]
    if missing:
        raise RecipeError(f"The recipe {path} names {missing[0]}, which is not there.")
    return recipe


def read_document(path: Path) -> dict[str, Any]:
    """A document file as it stands, once it is known to be one. Raises RecipeError."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        parse_spec(content)
    except OSError as error:
        raise RecipeError(f"The document file {path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(f"The document file {path} is not YAML: {' '.join(str(error).split())}.") from error
    except ValueError as error:
        raise RecipeError(f"The document file {path} is wrong at {error}.") from error
    return dict(content)


def _shown(value: object) -> str:
    """What stands there, short enough for one sentence."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."

"""One run from a recipe: base, samples, preflight, training; what came of it and what it cost."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from adapters import machine
from adapters.errors import BaseModelError, RecipeError
from adapters.training.examples import Examples, prepared
from adapters.training.log import Log
from adapters.training.recipe import Recipe

_PACKAGES = ("torch", "transformers", "peft", "safetensors", "bitsandbytes", "torchao")
_STATES = 6  # copies of the adapter on disk in float32: weights, two moments and the best, old and new


@dataclass(frozen=True)
class Place:
    """Where a run finds and keeps things. `beside`: the recipe's own folder; `cache`: of prepared samples;
    `given`: below which labelled examples lie, by default beside the recipe.
    """

    beside: Path
    base: Path
    folder: Path
    cache: Path
    given: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """A finished run. `base_bytes`: memory of the base's weights."""

    recipe: Recipe
    log: Log
    model: Any
    examples: Examples
    base_bytes: int


def run(recipe: Recipe, place: Place, watch: Callable[[Log, int], None]) -> Outcome:
    """Train, or go on where the folder's checkpoint stands. Raises AdaptersError for what cannot be trained."""
    import torch

    from adapters.training import loop, memory
    from adapters.training.base_precision import form_of, quiet, weight_bytes
    from adapters.training.model import with_adapter

    quiet()
    examples = prepared(
        recipe, place.beside, place.base, tokenizer_of(place.base), place.cache, place.given or place.beside
    )
    if not examples.training:
        raise RecipeError(
            f"The recipe of {recipe.name} has no training samples: raise data.text or name recorded files."
        )
    recipe = settled(recipe)
    memory.check_base(place.base, recipe)
    torch.manual_seed(recipe.seed)
    start_from = place.beside / recipe.start_from if recipe.start_from else None
    model = with_adapter(
        place.base, recipe.lora, start_from, form_of(recipe), checkpointing=bool(recipe.gradient_checkpointing)
    )
    _check_length(model.config, examples, place.base)
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    weights = weight_bytes(model)
    memory.check(memory.need(model.config, recipe, examples.training, weights, trained), recipe)
    check_disk(place.folder, trained * 4 * _STATES)
    log = loop.train(model, recipe, examples, place.folder / "checkpoint", watch)
    return Outcome(recipe, log, model, examples, weights)


def settled(recipe: Recipe) -> Recipe:
    """What a recipe leaves to the machine, decided."""
    from adapters.training.base_precision import device

    if recipe.gradient_checkpointing is not None:
        return recipe
    return recipe.model_copy(update={"gradient_checkpointing": recipe.method == "qlora" and device().type == "cuda"})


def measured(outcome: Outcome) -> dict[str, Any]:
    """What a run was and cost, for its manifest and its report. Bytes, seconds, tokens a second."""
    log = outcome.log
    best = next((look for look in log.validation if look["step"] == log.best_step), log.validation[-1])
    of_weights = best if outcome.recipe.early_stopping else log.validation[-1]
    return {
        "samples": len(outcome.examples.training),
        "steps": log.step,
        "best_step": log.best_step,
        "tokens": log.tokens,
        "seconds": round(log.seconds),
        "tokens_per_second": round(log.tokens / log.seconds),
        "peak_memory_bytes": log.peak_memory,
        "peak_gpu_memory_bytes": log.peak_gpu_memory,
        "base_weights_bytes": outcome.base_bytes,
        "validation_loss": of_weights["loss"],
        "validation_exact": of_weights["exact"],
        "validation_fields": of_weights["fields"],
        "best_validation": best,
        "machine": machine.describe(),
    }


def report(recipe: Recipe, outcome: Outcome) -> dict[str, Any]:
    """Everything of a run as one JSON document: recipe, versions, figures, curves."""
    curves = {name: value for name, value in asdict(outcome.log).items() if name in {"validation", "losses"}}
    return {**measured(outcome), "recipe": recipe.model_dump(mode="json"), "versions": versions(), **curves}


def versions() -> dict[str, str]:
    """The libraries that weights depend on, as installed."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def check_disk(folder: Path, needed: int) -> None:
    """Raise RecipeError when the disk has no room for the checkpoints."""
    import shutil

    free = shutil.disk_usage(folder).free
    if needed > free:
        raise RecipeError(
            f"The run needs {needed / 1e6:.0f} MB of disk for its checkpoints and {free / 1e6:.0f} MB are free: "
            "make room or choose another disk with --runs."
        )


def tokenizer_of(base: Path) -> Any:
    """The base's. Raises BaseModelError."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(base)
    except Exception as error:  # the tokenizers library raises its errors as plain exceptions
        raise BaseModelError(
            f"The base {base.name} has no readable tokenizer: make or fetch that folder anew."
        ) from error


def _check_length(config: Any, examples: Examples, base: Path) -> None:
    longest = max(len(example.tokens) for example in (*examples.training, *examples.validation))
    if longest > config.max_position_embeddings:
        raise BaseModelError(
            f"The base {base.name} reads {config.max_position_embeddings} tokens at most and a sample has {longest}: "
            "take a base with a longer context."
        )

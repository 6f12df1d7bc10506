"""All sequences of a recipe: what a run learns from and what it is judged by."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.training import cache
from adapters.training.contract import contract
from adapters.training.dataset import Example, Labelled, encode, modelled
from adapters.training.harder import harder
from adapters.training.recipe import Recipe
from adapters.training.recorded import recorded


@dataclass(frozen=True)
class Examples:
    """`pad` is the token that fills a batch's shorter rows."""

    training: Sequence[Example]
    validation: Sequence[Example]
    pad: int


def prepared(recipe: Recipe, beside: Path, base: Path, tokenizer: Any, folder: Path) -> Examples:
    """`prepare`, or the samples that an earlier run with the same ones has kept in `folder`."""
    path = folder / f"{cache.key(recipe, beside, base)}.samples"
    kept = cache.read(path)
    if kept is not None:
        return Examples(*kept, tokenizer.eos_token_id)
    fresh = prepare(recipe, beside, tokenizer)
    cache.write(path, fresh.training, fresh.validation)
    return fresh


def prepare(recipe: Recipe, beside: Path, tokenizer: Any) -> Examples:
    """All sequences of a recipe whose recorded files lie in `beside`."""
    prompts = contract(recipe.data.documents, recipe.answer, no_thought=recipe.no_thought)

    def encoded(samples: Iterable[Labelled]) -> list[Example]:
        return [encode(sample, prompts, tokenizer) for sample in samples]

    data = recipe.data
    given = list(modelled(data, "train", data.text, recipe.seed))
    given += modelled(data, "train", data.hard, recipe.seed, hard=True)
    for name in data.recorded:
        samples = list(recorded(beside / name, data.documents))[:: data.every.get(name, 1)]
        given += samples * data.recorded_repeats
    training = encoded(
        harder(sample, data.harder, random.Random(f"{recipe.seed}/{index}")) for index, sample in enumerate(given)
    )
    unseen = encoded(modelled(data, "valid", data.validation, recipe.seed))
    if data.hard:
        unseen += encoded(modelled(data, "valid", data.validation, recipe.seed, hard=True))
    return Examples(training, unseen, tokenizer.eos_token_id)

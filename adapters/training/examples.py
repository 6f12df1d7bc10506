"""All sequences of a recipe: what a run learns from and what it is judged by."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.training import cache
from adapters.training.augment import harder
from adapters.training.dataset import Example, Labelled, encode, modelled
from adapters.training.given import given as own_examples
from adapters.training.prompts import prompts_of
from adapters.training.recipe import Recipe
from adapters.training.recorded_samples import recorded


@dataclass(frozen=True)
class Examples:
    """`pad` is the token that fills a batch's shorter rows."""

    training: Sequence[Example]
    validation: Sequence[Example]
    pad: int


def prepared(recipe: Recipe, beside: Path, base: Path, tokenizer: Any, folder: Path, given: Path) -> Examples:
    """`prepare`, or the samples that an earlier run with the same ones has kept in `folder`."""
    path = folder / f"{cache.key(recipe, beside, base, given)}.samples"
    kept = cache.read(path)
    if kept is not None:
        return Examples(*kept, tokenizer.eos_token_id)
    fresh = prepare(recipe, beside, tokenizer, given)
    cache.write(path, fresh.training, fresh.validation)
    return fresh


def prepare(recipe: Recipe, beside: Path, tokenizer: Any, given: Path | None = None) -> Examples:
    """All sequences of a recipe whose recorded files lie in `beside`, and its labelled examples below `given`."""
    prompts = prompts_of(recipe)

    def encoded(samples: Iterable[Labelled]) -> list[Example]:
        return [encode(sample, prompts, tokenizer, recipe.spec) for sample in samples]

    if recipe.spec is not None:
        learnt, judged = own_examples(recipe, recipe.spec, given or beside)
        return Examples(encoded(learnt), encoded(judged), tokenizer.eos_token_id)
    data = recipe.data
    drawn = list(modelled(data, "train", data.text, recipe.seed))
    drawn += modelled(data, "train", data.hard, recipe.seed, "hard")
    drawn += modelled(data, "train", data.varied, recipe.seed, "varied")
    for name in data.recorded:
        samples = list(recorded(beside / name, data.documents))[:: data.every.get(name, 1)]
        drawn += samples * data.recorded_repeats
    training = encoded(
        harder(sample, data.harder, random.Random(f"{recipe.seed}/{index}")) for index, sample in enumerate(drawn)
    )
    unseen = encoded(modelled(data, "valid", data.validation, recipe.seed))
    if data.hard:
        unseen += encoded(modelled(data, "valid", data.validation, recipe.seed, "hard"))
    if data.varied:
        unseen += encoded(modelled(data, "valid", data.validation, recipe.seed, "varied"))
    return Examples(training, unseen, tokenizer.eos_token_id)

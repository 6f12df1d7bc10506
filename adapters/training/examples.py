"""All sequences of a recipe: what a run learns from and what it is judged by."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.training import dataset
from adapters.training.contract import contract
from adapters.training.dataset import Example
from adapters.training.recipe import Recipe


@dataclass(frozen=True)
class Examples:
    """`pad` is the token that fills a batch's shorter rows."""

    training: Sequence[Example]
    validation: Sequence[Example]
    pad: int


def prepare(recipe: Recipe, beside: Path, tokenizer: Any) -> Examples:
    """All sequences of a recipe whose recorded files lie in `beside`."""
    prompts = contract(recipe.data.documents)
    data = recipe.data
    training = [
        dataset.encode(sample, prompts, tokenizer) for sample in dataset.modelled(data, "train", data.text, recipe.seed)
    ]
    for name in data.recorded:
        real = [
            dataset.encode(sample, prompts, tokenizer) for sample in dataset.recorded(beside / name, data.documents)
        ]
        training += real * data.recorded_repeats
    unseen = dataset.modelled(data, "valid", data.validation, recipe.seed)
    return Examples(training, [dataset.encode(sample, prompts, tokenizer) for sample in unseen], tokenizer.eos_token_id)

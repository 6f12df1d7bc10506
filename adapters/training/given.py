"""What a recipe of one's own document learns from: its examples, made harder in another way at each pass."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from adapters.data.given.answers import Answers
from adapters.data.given.example import Given
from adapters.data.given.sources import read_examples
from adapters.errors import DataError
from adapters.training import exchange, mixing
from adapters.training.augment import harder
from adapters.training.dataset import Labelled
from adapters.training.recipe import Recipe
from adapters.training.recipe_data import Hardness, Source
from ocr_frontend.documents.spec import DocumentSpec

_DROPS = 3  # times that lines may be left out of one sample
_EVERY = 10  # examples: one of so many judges a run, where the recipe names none


def given(recipe: Recipe, spec: DocumentSpec, folder: Path) -> tuple[list[Labelled], list[Labelled]]:
    """(learnt from, judged by) of a recipe whose examples lie below `folder`. Raises DataError."""
    answers = Answers(spec)
    judged = labelled(held_out(recipe, spec, folder), answers, spec, recipe.data.most_lines)
    learnt = labelled(_learnt(recipe, spec, folder), answers, spec, recipe.data.most_lines)
    return _passes(learnt, recipe, spec), judged


def held_out(recipe: Recipe, spec: DocumentSpec, folder: Path) -> list[Given]:
    """The examples that judge a run and are not learnt from: those that the recipe names, or every tenth."""
    if recipe.data.held_out:
        return chosen(recipe.data.held_out, spec, folder)
    return chosen(recipe.data.examples, spec, folder)[::_EVERY]


def _learnt(recipe: Recipe, spec: DocumentSpec, folder: Path) -> list[Given]:
    examples = chosen(recipe.data.examples, spec, folder)
    if recipe.data.held_out:
        return examples
    return [example for number, example in enumerate(examples) if number % _EVERY]


def chosen(sources: Sequence[Source], spec: DocumentSpec, folder: Path) -> list[Given]:
    """The examples of the sources, in their order."""
    found: list[Given] = []
    for source in sources:
        examples = list(read_examples(folder / source.path, spec))
        first, last = source.range or (0, len(examples))
        if last > len(examples) or first >= last:
            raise DataError(f"{source.path} has {len(examples)} examples: its range {first} to {last} is not there.")
        found += examples[first:last]
    return found


def labelled(examples: Sequence[Given], answers: Answers, spec: DocumentSpec, most: int) -> list[Labelled]:
    """Examples as samples: their first `most` lines, as many as the front shows, and the answers that say the values.

    Raises DataError where pictures have not been read.
    """
    unread = [example.name for example in examples if not example.lines]
    if unread:
        raise DataError(
            f"{len(unread)} examples have a picture and no lines (the first is {unread[0]}): read the pictures with "
            "python -m ocr_frontend lines PICTURES > lines.jsonl, and put that file beside the examples."
        )
    shown = (replace(each, lines=tuple(line for line in each.lines if line.text.strip())[:most]) for each in examples)
    return [Labelled(spec.name, answers.lines(each), answers.targets(each)) for each in shown]


def _passes(samples: Sequence[Labelled], recipe: Recipe, spec: DocumentSpec) -> list[Labelled]:
    """All passes. The first one leaves every example as it is; sample i of a pass depends on seed, pass and i alone."""
    made: list[Labelled] = list(samples)
    for number in range(1, recipe.data.passes):
        for index, sample in enumerate(samples):
            rng = random.Random(f"{recipe.seed}/{number}/{index}")
            made.append(_changed(sample, samples, recipe.data.harder, rng, spec))
    return made


def _changed(
    sample: Labelled, others: Sequence[Labelled], hardness: Hardness, rng: random.Random, spec: DocumentSpec
) -> Labelled:
    if rng.random() < hardness.mix:
        sample = mixing.mixed(sample, others, rng)
    if hardness.exchange and rng.random() < hardness.exchange:
        sample = exchange.exchanged(sample, others, rng)
    if hardness.contact and rng.random() < hardness.contact:
        sample = exchange.surrounded(sample, [n for n, field in enumerate(spec.fields) if field.max_lines > 1], rng)
    for _ in range(_DROPS):
        if rng.random() < hardness.drop:
            sample = mixing.shorter(sample, rng)
    if rng.random() < hardness.recase:
        sample = mixing.recased(sample, rng)
    if rng.random() < hardness.misread:
        sample = mixing.misread(sample, rng)
    return harder(sample, hardness, rng, spec)

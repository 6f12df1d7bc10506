"""Every example's outcome, by who answers: from given lines, from pictures, or nobody (the best there is)."""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from adapters import bases
from adapters.data.given.answers import Answers
from adapters.data.given.example import Given
from adapters.data.lines import Line
from adapters.errors import DataError, EvaluationError
from adapters.evaluation.examples import ask as asking
from adapters.evaluation.examples import front
from adapters.evaluation.examples.scores import Outcome
from adapters.registry.manifest import PromptContract
from adapters.settings import Settings
from adapters.training.contract import render
from adapters.training.recipe import Recipe
from ocr_frontend.documents.spec import DocumentSpec

Told = Callable[[], None]


def from_lines(
    args: argparse.Namespace, recipe: Recipe, spec: DocumentSpec, model: str, examples: Sequence[Given], told: Told
) -> tuple[list[Outcome], str]:
    """Every example's outcome, and the exact model. Lines as many as training showed."""
    _with_lines(examples)
    answers = Answers(spec)
    if args.revision:
        from adapters.training.command import set_threads

        set_threads(args.threads)
        ask, contract = asking.on_this_machine(bases.resolve(recipe.base, Settings()), args.revision)
        exact = f"{args.revision.parent.name}@{args.revision.name}"
    else:
        ask, contract, exact = asking.of_server(args.server, model, args.key)
    if spec.name not in contract.documents:
        raise EvaluationError(f"{exact} was not trained for {spec.name}.")
    outcomes = []
    for example in examples:
        shown = replace(example, lines=example.lines[: recipe.data.most_lines])
        outcomes.append(_one(shown, answers, contract, spec, ask))
        told()
    return outcomes, exact


def best(example: Given, recipe: Recipe, spec: DocumentSpec) -> Outcome:
    """The best answer to the lines that a prompt shows."""
    answers = Answers(spec)
    shown = replace(example, lines=example.lines[: recipe.data.most_lines])
    lines = answers.lines(shown)
    values = answers.values(lines, answers.targets(shown))
    return Outcome(dict(example.fields), values, values)


def _one(example: Given, answers: Answers, contract: PromptContract, spec: DocumentSpec, ask: asking.Ask) -> Outcome:
    lines = answers.lines(example)
    targets = answers.targets(example)
    wanted = dict(example.fields) or answers.values(lines, targets)
    began = time.perf_counter()
    found = asking.read_answer(ask(render(contract, spec.name, lines)), contract, spec.name, len(lines))
    seconds = time.perf_counter() - began
    answered = {} if found is None else answers.values(lines, found)
    return Outcome(wanted, answered, answers.values(lines, targets), found is None, seconds)


def from_pictures(
    args: argparse.Namespace, spec: DocumentSpec, model: str, examples: Sequence[Given], told: Told
) -> tuple[list[Outcome], str]:
    """One after the other, so that a second is a second of one picture."""
    answers = Answers(spec)
    outcomes, names = [], set()
    for example in examples:
        if example.picture is None:
            raise DataError(f"The example {example.name} has no picture.")
        seen = front.through_front(args.front, spec.name, model, example.picture, args.key)
        read = replace(example, lines=tuple(Line(text) for text in seen.lines), targets={})
        most = answers.values(answers.lines(read), answers.targets(read))
        outcomes.append(Outcome(dict(example.fields), seen.values, most, seen.refused, seen.seconds))
        names.add(seen.model)
        told()
    return outcomes, ", ".join(sorted(names))


def from_lines_through_front(
    args: argparse.Namespace, recipe: Recipe, spec: DocumentSpec, model: str, examples: Sequence[Given], told: Told
) -> tuple[list[Outcome], str]:
    """The front's grammar and rules on the lines that the examples give: its own OCR has no part in it."""
    _with_lines(examples)
    answers = Answers(spec)
    outcomes, names = [], set()
    for example in examples:
        seen = front.lines_through_front(args.front, spec.name, model, example.name, example.lines, args.key)
        shown = replace(example, lines=example.lines[: recipe.data.most_lines])
        most = answers.values(answers.lines(shown), answers.targets(shown))
        outcomes.append(Outcome(dict(example.fields) or most, seen.values, most, seen.refused, seen.seconds))
        names.add(seen.model)
        told()
    return outcomes, ", ".join(sorted(names))


def _with_lines(examples: Sequence[Given]) -> None:
    """Raises DataError where an example has none."""
    unread = [example.name for example in examples if not example.lines]
    if unread:
        raise DataError(f"{len(unread)} examples have no lines (the first is {unread[0]}): read their pictures.")

"""`python -m adapters evaluate-examples`: a revision on labelled examples of its document."""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from adapters import bases, machine
from adapters.data.given.answers import Answers
from adapters.data.given.entries import read_lines
from adapters.data.given.example import Given
from adapters.data.given.sources import read_examples
from adapters.data.lines import Line
from adapters.errors import DataError, EvaluationError
from adapters.evaluation.examples import ask as asking
from adapters.evaluation.examples.scores import Outcome, markdown, table
from adapters.hub.card import CARD, write_card
from adapters.registry.atomic import write_file
from adapters.registry.manifest import PromptContract
from adapters.settings import Settings
from adapters.training.contract import render
from adapters.training.given import chosen, held_out
from adapters.training.recipe import Recipe
from adapters.training.recipe_file import read_recipe
from ocr_frontend.documents.spec import DocumentSpec

Told = Callable[[], None]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "evaluate-examples",
        help="measure a revision on labelled examples of its document: F1, exact values, ANLS, the ceiling",
        description="With given lines: --revision (on this machine) or --server. From the pictures, with the OCR of "
        "the services: --front. Writes scores without any value into --out, and prints a table.",
    )
    parser.add_argument("recipe", type=Path, help="whose document and examples are meant")
    parser.add_argument("--data", type=Path, help="where the examples lie that the recipe names (default: beside it)")
    parser.add_argument("--range", type=int, nargs=2, metavar=("FIRST", "END"), help="of the recipe's first source")
    parser.add_argument("--examples", type=Path, help="other examples than the recipe's, such as exported corrections")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--revision", type=Path, help="a revision's folder, asked on this machine")
    who.add_argument("--server", help="a model server, such as http://127.0.0.1:8000")
    who.add_argument("--ceiling", action="store_true", help="nobody: what the lines and the form of answers allow")
    who.add_argument("--front", help="an OCR front, such as http://127.0.0.1:8080")
    parser.add_argument("--model", help="alias or exact revision (default: the recipe's name)")
    parser.add_argument("--key", default="", help="the server's or the front's key, where it wants one")
    parser.add_argument("--lines", type=Path, help="other lines of the pictures (python -m ocr_frontend lines)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads of --revision (default: all)")
    parser.add_argument("--out", type=Path, help="folder (default: the revision's, else runs/evaluation)")
    parser.add_argument("--floor", type=Path, help="scores of another revision: 3 is returned where F1 is below them")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from rich.progress import Progress

    recipe = read_recipe(args.recipe)
    if recipe.spec is None:
        raise EvaluationError(f"{args.recipe} has no document of its own: built-in ones have `evaluate`.")
    examples = _examples(args, recipe, recipe.spec)
    model = args.model or recipe.name
    with Progress() as bar:
        task = bar.add_task("evaluating", total=len(examples))
        told: Told = lambda: bar.update(task, advance=1)  # noqa: E731
        if args.front:
            outcomes, exact, how = *_from_pictures(args, recipe.spec, model, examples, told), "pictures, own OCR"
        elif args.ceiling:
            outcomes, exact, how = [_best(each, recipe, recipe.spec) for each in examples], "nobody", "ceiling"
        else:
            outcomes, exact, how = *_from_lines(args, recipe, recipe.spec, model, examples, told), "given lines"
    if args.lines:
        how += ", lines of another OCR"
    rows = table(outcomes, recipe.spec.keys)
    folder = args.out or args.revision or Path("runs") / "evaluation"
    body = {"model": exact, "document": recipe.spec.name, "protocol": how, "examples": len(outcomes),
            "machine": machine.describe(), "rows": rows}  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / f"examples-{how.replace(',', '').replace(' ', '-')}.json", json.dumps(body, indent=1).encode())
    if (folder / CARD).is_file():
        write_card(folder)
    print(markdown(rows))
    print(json.dumps({key: value for key, value in rows[-1].items() if key != "field"}))
    return _judged(rows[-1]["f1"], args.floor)


def _judged(f1: float, floor: Path | None) -> int:
    """0, or 3 where the F1 over all fields is below that of the scores in `floor`."""
    if floor is None:
        return 0
    try:
        least = float(json.loads(floor.read_text(encoding="utf-8"))["rows"][-1]["f1"])
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        raise EvaluationError(f"{floor} holds no scores of evaluate-examples.") from None
    print(f"F1 {f1:.4f}, the other revision's {least:.4f}: {'worse' if f1 < least else 'not worse'}")
    return 3 if f1 < least else 0


def _examples(args: argparse.Namespace, recipe: Recipe, spec: DocumentSpec) -> list[Given]:
    where = args.data or args.recipe.parent
    if args.examples:
        examples = list(read_examples(args.examples, spec))
    elif args.range:
        examples = chosen([recipe.data.examples[0].model_copy(update={"range": tuple(args.range)})], spec, where)
    else:
        examples = held_out(recipe, spec, where)
    if not examples:
        raise DataError("There is no example to evaluate on.")
    if args.lines:
        read = read_lines(args.lines)
        examples = [replace(each, lines=tuple(read.get(_name(each), ()))) for each in examples]
    return examples


def _name(example: Given) -> str:
    return example.picture.name if example.picture else example.name


def _from_lines(
    args: argparse.Namespace, recipe: Recipe, spec: DocumentSpec, model: str, examples: Sequence[Given], told: Told
) -> tuple[list[Outcome], str]:
    """Every example's outcome, and the exact model. Lines as many as training showed."""
    unread = [example.name for example in examples if not example.lines]
    if unread:
        raise DataError(f"{len(unread)} examples have no lines (the first is {unread[0]}): read their pictures.")
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


def _best(example: Given, recipe: Recipe, spec: DocumentSpec) -> Outcome:
    """The best answer to the lines that a prompt shows."""
    answers = Answers(spec)
    shown = replace(example, lines=example.lines[: recipe.data.most_lines])
    lines = answers.lines(shown)
    best = answers.values(lines, answers.targets(shown))
    return Outcome(dict(example.fields), best, best)


def _one(example: Given, answers: Answers, contract: PromptContract, spec: DocumentSpec, ask: asking.Ask) -> Outcome:
    lines = answers.lines(example)
    best = answers.targets(example)
    wanted = dict(example.fields) or answers.values(lines, best)
    began = time.perf_counter()
    found = asking.read_answer(ask(render(contract, spec.name, lines)), contract, spec.name, len(lines))
    seconds = time.perf_counter() - began
    answered = {} if found is None else answers.values(lines, found)
    return Outcome(wanted, answered, answers.values(lines, best), found is None, seconds)


def _from_pictures(
    args: argparse.Namespace, spec: DocumentSpec, model: str, examples: Sequence[Given], told: Told
) -> tuple[list[Outcome], str]:
    """One after the other, so that a second is a second of one picture."""
    answers = Answers(spec)
    outcomes, names = [], set()
    for example in examples:
        if example.picture is None:
            raise DataError(f"The example {example.name} has no picture.")
        seen = asking.through_front(args.front, spec.name, model, example.picture, args.key)
        read = replace(example, lines=tuple(Line(text) for text in seen.lines), targets={})
        best = answers.values(answers.lines(read), answers.targets(read))
        outcomes.append(Outcome(dict(example.fields), seen.values, best, seen.refused, seen.seconds))
        names.add(seen.model)
        told()
    return outcomes, ", ".join(sorted(names))

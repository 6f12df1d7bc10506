"""`python -m adapters evaluate-examples`: a revision on labelled examples of its document."""

import argparse
import json
from dataclasses import replace
from pathlib import Path

from adapters.data.given.entries import read_lines
from adapters.data.given.example import Given
from adapters.data.given.sources import read_examples
from adapters.errors import DataError, EvaluationError
from adapters.evaluation.examples.outcomes import best, from_lines, from_lines_through_front, from_pictures
from adapters.evaluation.examples.scores import markdown, table
from adapters.evaluation.progress import counted
from adapters.hub.card import CARD, write_card
from adapters.provenance import stamp
from adapters.registry.atomic import write_file
from adapters.registry.option import folder_of
from adapters.training.given import chosen, held_out
from adapters.training.recipe import Recipe
from adapters.training.recipe_file import read_recipe
from ocr_frontend.documents.spec import DocumentSpec


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "evaluate-examples",
        help="measure a revision on labelled examples of its document: F1, exact values, ANLS, the ceiling",
        description="With given lines: --revision (on this machine) or --server. From the pictures, with the OCR of "
        "the services: --front; with --given-lines the front gets lines in their place. "
        "Writes scores without any value into --out, and prints a table.",
    )
    parser.add_argument("recipe", type=Path, help="whose document and examples are meant")
    parser.add_argument("--data", type=Path, help="where the examples lie that the recipe names (default: beside it)")
    parser.add_argument("--range", type=int, nargs=2, metavar=("FIRST", "END"), help="of the recipe's first source")
    parser.add_argument("--examples", type=Path, help="other examples than the recipe's, such as exported corrections")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--revision", type=Path, help="NAME@REVISION or a folder, asked on this machine")
    who.add_argument("--server", help="a model server, such as http://127.0.0.1:8000")
    who.add_argument("--ceiling", action="store_true", help="nobody: what the lines and the form of answers allow")
    who.add_argument("--front", help="an OCR front, such as http://127.0.0.1:8080")
    parser.add_argument(
        "--given-lines", action="store_true", help="of --front: the examples' lines, not their pictures"
    )
    parser.add_argument("--model", help="alias or exact revision (default: the recipe's name)")
    parser.add_argument("--key", default="", help="the server's or the front's key, where it wants one")
    parser.add_argument("--lines", type=Path, help="other lines of the pictures (python -m ocr_frontend lines)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads of --revision (default: all)")
    parser.add_argument("--out", type=Path, help="folder (default: the revision's, else runs/evaluation)")
    parser.add_argument(
        "--floor", type=Path, help="NAME@REVISION, or a file of scores: 3 is returned where F1 is below them"
    )
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    before, recipe = stamp(), read_recipe(args.recipe)
    if recipe.spec is None:
        raise EvaluationError(f"{args.recipe} has no document of its own: built-in ones have `evaluate`.")
    examples = _examples(args, recipe, recipe.spec)
    if args.given_lines and not args.front:
        raise EvaluationError(
            "--given-lines is for --front: --revision, --server and --ceiling take given lines anyway."
        )
    model = args.model or recipe.name
    args.revision = args.revision and folder_of(args.revision)
    with counted("evaluating", len(examples)) as told:
        if args.front and args.given_lines:
            outcomes, exact = from_lines_through_front(args, recipe, recipe.spec, model, examples, told)
            how = "given lines, front's rules"
        elif args.front:
            outcomes, exact, how = *from_pictures(args, recipe.spec, model, examples, told), "pictures, own OCR"
        elif args.ceiling:
            outcomes, exact, how = [best(each, recipe, recipe.spec) for each in examples], "nobody", "ceiling"
        else:
            outcomes, exact, how = *from_lines(args, recipe, recipe.spec, model, examples, told), "given lines"
    if args.lines:
        how += ", lines of another OCR"
    rows = table(outcomes, recipe.spec.keys)
    folder = args.out or args.revision or Path("runs") / "evaluation"
    body = {"model": exact, "document": recipe.spec.name, "protocol": how, "examples": len(outcomes),
            **before, "rows": rows}  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / _file(how), json.dumps(body, indent=1).encode())
    if (folder / CARD).is_file():
        write_card(folder)
    print(markdown(rows))
    print(json.dumps({key: value for key, value in rows[-1].items() if key != "field"}))
    return _judged(rows[-1]["f1"], args.floor and _scores(folder_of(args.floor), how))


def _file(how: str) -> str:
    """The protocol as a file's name."""
    return "examples-" + how.translate(str.maketrans(" ", "-", ",'")) + ".json"


def _scores(floor: Path, how: str) -> Path:
    """A file of scores, or that of a revision by the same protocol."""
    return floor / _file(how) if floor.is_dir() else floor


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

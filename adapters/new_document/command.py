"""`python -m adapters new-document NAME --examples PATH`."""

import argparse
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapters import bases
from adapters.data.given.answers import Answers
from adapters.data.given.example import Given
from adapters.data.given.sources import read_any
from adapters.errors import DataError
from adapters.new_document.files import write_all
from adapters.new_document.guess import guess
from ocr_frontend.documents.registry import builtin
from ocr_frontend.documents.spec import parse_spec

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_START = Path(__file__).resolve().parents[1] / "recipes" / "cni-third"
_FEWEST = 5


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "new-document",
        help="a document file, a recipe and a README from a few labelled examples",
        description="Guess types, labels and marks of a document from labelled examples (JSON Lines, or a folder with "
        "key/ and box/ or img/) and write documents/NAME.yaml, recipe.yaml and README.md.",
    )
    parser.add_argument("name", help="of the document and its adapter: small letters, digits, hyphens")
    parser.add_argument("--examples", type=Path, required=True, help="the labelled examples")
    parser.add_argument("--base", default=bases.EMBEDDED, help="of the recipe (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="folder to write (default: ./NAME)")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    folder: Path = args.out or Path(args.name)
    if not _NAME.fullmatch(args.name) or args.name in builtin().every:
        raise DataError(
            f"{args.name} cannot name a document: small letters, digits and hyphens, and not a built-in one."
        )
    if folder.exists() and any(folder.iterdir()):
        raise DataError(f"{folder} is there already: remove it or name another folder with --out.")
    examples = read_any(args.examples)
    if len(examples) < _FEWEST:
        raise DataError(f"{args.examples} has {len(examples)} examples: at least {_FEWEST} are needed.")
    unread = sum(not example.lines for example in examples)
    if unread:
        raise DataError(
            f"{unread} examples have a picture and no lines: read the pictures with python -m ocr_frontend lines "
            "PICTURES > lines.jsonl, and put that file beside the examples."
        )
    content = guess(args.name, examples)
    ceiling = _ceiling(content, examples)
    start = os.path.relpath(_START, folder) if args.base == bases.EMBEDDED else ""
    told = {
        "name": args.name,
        "count": len(examples),
        "learnt": len(examples) - len(examples) // 10,
        "base": args.base,
        "path": os.path.relpath(args.examples, folder),
        "start": start,
        "ceiling": f"{ceiling:.1%}",
    }
    write_all(folder, content, told)
    print(f"{folder}: documents/{args.name}.yaml, recipe.yaml and README.md from {len(examples)} examples")
    print(f"answers can say {ceiling:.1%} of the wanted values exactly; read the document file through before training")
    return 0


def _ceiling(content: dict[str, Any], examples: Sequence[Given]) -> float:
    """The share of wanted values that the form of answers can say, over the given lines."""
    spec = parse_spec(content)
    answers = Answers(spec)
    wanted = said = 0
    for example in examples:
        lines = answers.lines(example)
        best = answers.values(lines, answers.targets(example))
        for key, value in example.fields.items():
            wanted += value is not None
            said += value is not None and best.get(key) == value
    return said / wanted if wanted else 1.0

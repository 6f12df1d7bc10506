"""Whether `document=auto` tells cards, receipts and neither apart, by the lines alone.

    python -m benchmarks.cards.tell_apart --receipts ../shared/receipts

Real OCR lines of drawn cards (adapters/recipes/recorded*.jsonl.gz) and given lines of real receipts, asked of the
built-in documents and the receipt's file together. No model, no network. The last line is one JSON document.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from adapters.data.documents import DOCUMENT_NAMES
from adapters.data.given.sources import read_any
from adapters.provenance import stamp
from adapters.training.recipe_file import read_document
from adapters.training.recorded_samples import recorded
from ocr_frontend.documents.classify import Classifier
from ocr_frontend.documents.registry import builtin
from ocr_frontend.documents.spec import parse_spec
from ocr_frontend.ocr.textline import TextLine

_RECIPES = Path("adapters/recipes")
_NONE = "neither"
_NEITHER = (
    ("MEETING NOTES", "Tuesday, the whole team", "1. Budget", "2. Holidays", "3. Any other business"),
    ("CHAPTER FOUR", "It was a bright cold day in April,", "and the clocks were striking thirteen."),
    ("MENU", "Soup of the day", "Grilled fish", "Fruit salad", "Coffee or tea"),
)


def cards(count: int) -> Iterator[tuple[str, list[TextLine]]]:
    """Cards of all recorded files in turn, their lines laid over a page of a card's shape."""
    files = sorted(_RECIPES.glob("recorded*.jsonl.gz"))
    samples = [list(recorded(path, DOCUMENT_NAMES)) for path in files]
    for number in range(count):
        one = samples[number % len(samples)]
        sample = one[number // len(samples) % len(one)]
        yield sample.document, laid_out(sample.lines)


def laid_out(texts: Sequence[str]) -> list[TextLine]:
    """Lines without places in two columns of a landscape page."""
    found = []
    for number, text in enumerate(texts):
        x, y = 40 + 480 * (number % 2), 40 + 540 * number // max(1, len(texts))
        found.append(TextLine(text, 0.95, ((x, y), (x + 440, y), (x + 440, y + 20), (x, y + 20))))
    return found


def receipts(folder: Path, count: int) -> Iterator[tuple[str, list[TextLine]]]:
    """The first receipts of the folder, where their lines stand."""
    for example in read_any(folder)[:count]:
        lines = []
        for line in example.lines:
            a, b, c, d = ((int(x), int(y)) for x, y in line.polygon)
            lines.append(TextLine(line.text, 0.95, (a, b, c, d)))
        yield "receipt", lines


def main() -> int:
    """Prints one row a kind of page, then JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--receipts", type=Path, required=True, help="a folder of labelled receipts")
    parser.add_argument("--count", type=int, default=400, help="of each (default: %(default)s)")
    args, before = parser.parse_args(), stamp()
    known = builtin().with_these([parse_spec(read_document(_RECIPES / "receipt" / "document.yaml"))])
    classifier = Classifier(known)
    pages = [*cards(args.count), *receipts(args.receipts, args.count), *((_NONE, laid_out(each)) for each in _NEITHER)]
    seen: dict[str, Counter[str]] = {}
    for expected, lines in pages:
        found = classifier.detect(lines).document
        kind = "card" if expected in DOCUMENT_NAMES else expected
        name = _NONE if found is None else "card" if found.name in DOCUMENT_NAMES else found.name
        right = found is not None and found.name == expected
        seen.setdefault(kind, Counter()).update([f"taken for {name}", *(["exactly right"] if right else [])])
    for kind, counts in seen.items():
        print(kind, dict(counts))
    print(json.dumps({"count": args.count, **before, "pages": seen}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

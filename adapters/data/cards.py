"""Writes a folder of card images with their truth: `cards.jsonl`, one JSON a card."""

import argparse
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal, get_args

from rich.progress import track

from adapters.data.documents import DOCUMENT_NAMES, DocumentName
from adapters.data.hard.capture import capture
from adapters.data.hard.draw import draw_flat
from adapters.data.hard.values import hard_record
from adapters.data.layout import lay_out
from adapters.data.records import Record, sample_record
from adapters.data.render import Card, render
from adapters.data.vocabulary import SPLITS, Split

Condition = Literal["clean", "photo", "hard"]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)
# Cards in the plain layouts; what `--condition both` draws.
PLAIN: tuple[Condition, ...] = ("clean", "photo")
CHOICES: dict[str, tuple[Condition, ...]] = {
    **{name: (name,) for name in CONDITIONS}, "both": PLAIN, "all": CONDITIONS,
}  # fmt: skip


@dataclass(frozen=True)
class DrawnCard:
    """One card of a set: what it says and how it looks."""

    index: int
    condition: Condition
    split: Split
    record: Record
    card: Card

    @property
    def file(self) -> str:
        """Clean cards are kept without loss, photos as a phone keeps them."""
        return f"{self.index:05d}.{'png' if self.condition == 'clean' else 'jpg'}"

    def truth(self) -> dict[str, Any]:
        """The card's line in `cards.jsonl`."""
        return {
            "file": self.file,
            "document": self.record.document,
            "condition": self.condition,
            "split": self.split,
            "values": self.record.values,
            "printed": self.record.printed,
            "extras": self.record.extras,
            "polygons": {key: [list(point) for point in polygon] for key, polygon in self.card.polygons.items()},
        }


def draw_card(seed: int, index: int, split: Split, document: DocumentName, condition: Condition) -> DrawnCard:
    """Card `index` of a seed. Its clean and its photographed form show the same record in the same print; the hard
    cards are other people's, in layouts of their own.
    """
    if condition == "hard":
        return _draw_hard(seed, index, split, document)
    record = sample_record(random.Random(f"record:{seed}:{split}:{index}"), document, split)
    look = random.Random(f"look:{seed}:{split}:{index}")
    card = render(look, lay_out(look, record, split), split)
    if condition == "photo":
        from adapters.data.photo import photograph  # torch and kornia take seconds to import

        card = photograph(random.Random(f"photo:{seed}:{split}:{index}"), card)
    return DrawnCard(index, condition, split, record, card)


def _draw_hard(seed: int, index: int, split: Split, document: DocumentName) -> DrawnCard:
    person, print_, camera = (
        random.Random(f"hard {part}:{seed}:{split}:{index}") for part in ("record", "look", "photo")
    )
    record = hard_record(person, document, split)
    return DrawnCard(index, "hard", split, record, capture(camera, draw_flat(print_, record, split)))


def draw_cards(
    count: int,
    seed: int,
    split: Split,
    conditions: Sequence[Condition],
    documents: Sequence[DocumentName],
    first: int = 0,
) -> Iterator[DrawnCard]:
    """`count` cards from index `first` on: the documents in turn, each round of documents in the next condition."""
    for index in range(first, first + count):
        document = documents[index % len(documents)]
        yield draw_card(seed, index, split, document, conditions[index // len(documents) % len(conditions)])


def write_all(out: Path, count: int, *, seed: int, split: Split) -> Path:
    """`count` cards a document and condition. The plain ones come first, as they were before there were hard ones."""
    plain, hard = count * len(PLAIN) * len(DOCUMENT_NAMES), count * len(DOCUMENT_NAMES)
    return _write(
        out,
        chain(
            draw_cards(plain, seed, split, PLAIN, DOCUMENT_NAMES),
            draw_cards(hard, seed, split, ("hard",), DOCUMENT_NAMES, first=plain),
        ),
        plain + hard,
    )


def write_cards(
    out: Path,
    count: int,
    *,
    seed: int = 0,
    split: Split = "train",
    conditions: Sequence[Condition] = ("clean",),
    documents: Sequence[DocumentName] = DOCUMENT_NAMES,
) -> Path:
    """Writes the images and `cards.jsonl` into `out` (made if missing); returns the JSON lines' path."""
    return _write(out, draw_cards(count, seed, split, conditions, documents), count)


def _write(out: Path, cards: Iterable[DrawnCard], count: int) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    listing = out / "cards.jsonl"
    with listing.open("w", encoding="utf-8") as lines:
        for drawn in track(cards, "Drawing cards", total=count):
            drawn.card.image.save(out / drawn.file, quality=95)
            lines.write(json.dumps(drawn.truth(), ensure_ascii=False) + "\n")
    return listing


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`python -m adapters cards`."""
    parser = subparsers.add_parser(
        "cards",
        help="draw synthetic SPECIMEN cards with their truth",
        description="Draws cards of invented persons; what each says, and where, goes to cards.jsonl beside them.",
        epilog="The same seed, split and index always give the same card, whatever the count.",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the images and cards.jsonl")
    parser.add_argument("--count", type=_positive, default=20, help="number of cards (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other cards (default: %(default)s)")
    parser.add_argument(
        "--split",
        choices=SPLITS,
        default="train",
        help="whose names, places, professions and fonts; the three share none (default: %(default)s)",
    )
    parser.add_argument(
        "--condition",
        choices=tuple(CHOICES),
        default="clean",
        help="as printed, as a phone's photo, badly photographed in other layouts (hard), the first two in turn "
        "(both), or all three (default: %(default)s)",
    )
    parser.add_argument(
        "--document",
        choices=DOCUMENT_NAMES,
        action="append",
        help="only this document; may be given again (default: all four in turn)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Draws the cards that the command line asks for."""
    write_cards(
        args.out,
        args.count,
        seed=args.seed,
        split=args.split,
        conditions=CHOICES[args.condition],
        documents=tuple(args.document or DOCUMENT_NAMES),
    )
    return 0


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value

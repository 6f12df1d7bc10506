"""Writes a folder of card images with their truth: `cards.jsonl`, one JSON a card."""

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from rich.progress import track

from adapters.data.documents import DOCUMENT_NAMES, DocumentName
from adapters.data.layout import lay_out
from adapters.data.records import Record, sample_record
from adapters.data.render import Card, render
from adapters.data.vocabulary import SPLITS, Split

Condition = Literal["clean", "photo"]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)


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
    """Card `index` of a seed. Its clean and its photographed form show the same record in the same print."""
    record = sample_record(random.Random(f"record:{seed}:{split}:{index}"), document, split)
    look = random.Random(f"look:{seed}:{split}:{index}")
    card = render(look, lay_out(look, record, split), split)
    if condition == "photo":
        from adapters.data.photo import photograph  # torch and kornia take seconds to import

        card = photograph(random.Random(f"photo:{seed}:{split}:{index}"), card)
    return DrawnCard(index, condition, split, record, card)


def draw_cards(
    count: int, seed: int, split: Split, conditions: Sequence[Condition], documents: Sequence[DocumentName]
) -> Iterator[DrawnCard]:
    """`count` cards: the documents in turn, and each round of documents in the next condition."""
    for index in range(count):
        document = documents[index % len(documents)]
        yield draw_card(seed, index, split, document, conditions[index // len(documents) % len(conditions)])


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
    out.mkdir(parents=True, exist_ok=True)
    listing = out / "cards.jsonl"
    cards = track(draw_cards(count, seed, split, conditions, documents), "Drawing cards", total=count)
    with listing.open("w", encoding="utf-8") as lines:
        for drawn in cards:
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
        choices=(*CONDITIONS, "both"),
        default="clean",
        help="as printed, as a phone's photo, or half and half (default: %(default)s)",
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
        conditions=CONDITIONS if args.condition == "both" else (args.condition,),
        documents=tuple(args.document or DOCUMENT_NAMES),
    )
    return 0


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value

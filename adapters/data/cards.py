"""Cards of a seed, and folders of their images with their truth: `cards.jsonl`, one JSON a card."""

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal, get_args

from rich.progress import track

from adapters.data.documents import DOCUMENT_NAMES, DocumentName
from adapters.data.hard.broken import bracketed
from adapters.data.hard.capture import capture
from adapters.data.hard.columns import grouped, lengthened
from adapters.data.hard.draw import draw_flat
from adapters.data.hard.emptied import emptied
from adapters.data.hard.overlay import overlaid
from adapters.data.hard.values import hard_record
from adapters.data.hard.varied import varied_style
from adapters.data.layout import lay_out
from adapters.data.people import Record, sample_record
from adapters.data.render import Card, render
from adapters.data.vocabulary import Split

Condition = Literal["clean", "photo", "hard", "varied", "stamped", "narrow", "faint"]
# What is measured. `varied`, each card laid out and worded anew, `stamped`, the same with empty fields and what comes
# over cards, `narrow`, these with long names in narrow columns, and `faint`, with labels that can hardly be read, are
# for training and calibration.
CONDITIONS: tuple[Condition, ...] = ("clean", "photo", "hard")
# Cards in the plain layouts; what `--condition both` draws.
PLAIN: tuple[Condition, ...] = ("clean", "photo")
CHOICES: dict[str, tuple[Condition, ...]] = {
    **{name: (name,) for name in get_args(Condition)}, "both": PLAIN, "all": CONDITIONS,
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
    """Card `index` of a seed. Its clean and its photographed form show the same record in the same print; the others
    are other people's, in layouts of their own. Raises DataError for cards of the test split that are for training.
    """
    if condition not in PLAIN:
        return _draw_hard(seed, index, split, document, condition)
    record = sample_record(random.Random(f"record:{seed}:{split}:{index}"), document, split)
    look = random.Random(f"look:{seed}:{split}:{index}")
    card = render(look, lay_out(look, record, split), split)
    if condition == "photo":
        from adapters.data.photo import photograph  # torch and kornia take seconds to import

        card = photograph(random.Random(f"photo:{seed}:{split}:{index}"), card)
    return DrawnCard(index, condition, split, record, card)


def _draw_hard(seed: int, index: int, split: Split, document: DocumentName, condition: Condition) -> DrawnCard:
    kind, narrow, faint = ("hard" if condition == "hard" else "varied"), condition == "narrow", condition == "faint"
    stamped = narrow or condition == "stamped"
    person, print_, camera, style = (
        random.Random(f"{kind} {part}:{seed}:{split}:{index}") for part in ("record", "look", "photo", "style")
    )
    record, own = hard_record(person, document, split), None
    if kind == "varied":
        record = bracketed(style, record)
        record = emptied(style, record) if stamped or faint else record
        record = grouped(style, lengthened(style, record, split)) if narrow else record
        own = varied_style(style, split, wide=stamped, narrow=narrow, in_order=faint)
    flat = draw_flat(print_, record, split, own, faint=faint)
    if stamped:
        flat = overlaid(print_, flat, split)
    return DrawnCard(index, condition, split, record, capture(camera, flat))


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


def write_all(out: Path, count: int, *, seed: int, split: Split, conditions: Sequence[Condition] = CONDITIONS) -> Path:
    """`count` cards a document and condition. The plain ones come first, as they were before there were others."""
    plain, each = count * len(PLAIN) * len(DOCUMENT_NAMES), count * len(DOCUMENT_NAMES)
    others = [name for name in conditions if name not in PLAIN]
    drawn = [draw_cards(plain, seed, split, PLAIN, DOCUMENT_NAMES)]
    for number, name in enumerate(others):
        drawn.append(draw_cards(each, seed, split, (name,), DOCUMENT_NAMES, first=plain + number * each))
    return _write(out, chain(*drawn), plain + each * len(others))


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

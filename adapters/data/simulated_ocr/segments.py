"""OCR segments, and how an engine merges, splits and misplaces them."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from adapters.data.card_layout import CHAR_WIDTH, Role
from adapters.data.simulated_ocr.misreadings import Damage


@dataclass(frozen=True)
class Part:
    """A run of text that belongs to one field, or to none."""

    text: str
    field: str | None = None


@dataclass(frozen=True)
class Segment:
    """One OCR line: its parts from left to right, and where it stands."""

    parts: tuple[Part, ...]
    role: Role
    x: float
    y: float
    score: float = 0.98

    @property
    def text(self) -> str:
        return " ".join(part.text for part in self.parts)


def _pairs(segments: list[Segment], first: Role, second: Role) -> list[int]:
    """Indices i where segment i has the first role and i + 1 the second."""
    return [i for i in range(len(segments) - 1) if (segments[i].role, segments[i + 1].role) == (first, second)]


def merge_rows(rng: random.Random, segments: list[Segment], damage: Damage) -> list[Segment]:
    """`SEXE/SEX` and `TAILLE/HEIGHT` come as one segment, and now and then their two values too."""
    out = list(segments)
    for role, rate in (("label", 0.05 + damage.tail * 4), ("value", 0.01 + damage.tail)):
        for i, left in enumerate(out):
            for right in out[i + 1 : i + 4]:
                near = max(rate, 0.25) if _touching(left, right) else rate
                if left.role == right.role == role and _one_row(left, right) and rng.random() < near:
                    out.remove(right)
                    out[i] = replace(left, parts=left.parts + right.parts)
                    break
    return out


def _one_row(left: Segment, right: Segment) -> bool:
    """Beside each other, and short or nearly touching."""
    beside = abs(left.y - right.y) < 9 and 0 < right.x - left.x < 320
    return beside and (_touching(left, right) or len(left.text) + len(right.text) < 34)


def _touching(left: Segment, right: Segment) -> bool:
    """Long labels that fill their column: OCR sees one line."""
    return left.role == "label" and right.x - left.x < 9 * len(left.text) + 45


def merge_label_and_value(rng: random.Random, segments: list[Segment], damage: Damage) -> list[Segment]:
    """A label and its value come as one segment; more often where they stand side by side."""
    out = list(segments)
    for i in reversed(_pairs(out, "label", "value")):
        side_by_side = abs(out[i].y - out[i + 1].y) < 12
        if rng.random() < (0.15 if side_by_side else 0.012):
            out[i : i + 2] = [replace(out[i], parts=out[i].parts + out[i + 1].parts)]
    return out


def swap_label_and_value(rng: random.Random, segments: list[Segment], damage: Damage) -> list[Segment]:
    """A value stands above its label."""
    out = list(segments)
    for i in _pairs(out, "label", "value"):
        if rng.random() < 0.015 + damage.tail * 0.4:
            out[i], out[i + 1] = replace(out[i], y=out[i + 1].y), replace(out[i + 1], y=out[i].y)
    return out


def split_labels(rng: random.Random, segments: list[Segment], damage: Damage) -> list[Segment]:
    """A bilingual label comes in two halves, each finding its own place among the other lines."""
    out: list[Segment] = []
    for segment in segments:
        head, slash, tail = segment.text.partition("/")
        if segment.role != "label" or len(segment.parts) > 1 or not tail or rng.random() > 0.03 + damage.tail * 2:
            out.append(segment)
            continue
        head += slash if rng.random() < 0.6 else ""
        x = segment.x + 18 * CHAR_WIDTH * len(head)
        out.append(replace(segment, parts=(Part(head.strip()),)))
        out.append(replace(segment, parts=(Part(tail.strip()),), x=x, y=segment.y + rng.uniform(-14, 14)))
    return out


def split_values(rng: random.Random, segments: list[Segment], damage: Damage) -> list[Segment]:
    """A long value comes in two segments, cut at a space."""
    out: list[Segment] = []
    for segment in segments:
        words = segment.text.split(" ")
        if segment.role != "value" or len(segment.parts) > 1 or len(words) < 2 or rng.random() > 0.012:
            out.append(segment)
            continue
        cut, field = rng.randrange(1, len(words)), segment.parts[0].field
        head, tail = " ".join(words[:cut]), " ".join(words[cut:])
        out.append(replace(segment, parts=(Part(head, field),)))
        out.append(replace(segment, parts=(Part(tail, field),), x=segment.x + 26 * CHAR_WIDTH * len(head)))
    return out


def merge_zone(rng: random.Random, segments: list[Segment], damage: Damage) -> list[Segment]:
    """Two lines of the machine-readable zone come as one."""
    zone = [s for s in segments if s.role == "mrz"]
    if len(zone) < 2 or rng.random() > 0.04 + damage.tail:
        return segments
    i = rng.randrange(len(zone) - 1)
    merged = replace(zone[i], parts=(Part(zone[i].text + zone[i + 1].text),))
    return [merged if s is zone[i] else s for s in segments if s is not zone[i + 1]]


TRAPS: tuple[Callable[[random.Random, list[Segment], Damage], list[Segment]], ...] = (
    merge_rows,
    merge_label_and_value,
    swap_label_and_value,
    split_labels,
    split_values,
    merge_zone,
)

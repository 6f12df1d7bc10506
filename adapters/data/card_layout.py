"""A card as pieces of text at places: what is drawn, and what a simulated OCR reads."""

import random
from dataclasses import dataclass
from typing import Literal

from adapters.data.people import Record

Role = Literal["title", "label", "value", "other", "background", "mrz", "specimen"]
Box = tuple[float, float, float, float]

# Mean advance of a capital letter, in units of the font size: enough to decide where a long value wraps.
CHAR_WIDTH = 0.66
_BLANK_LABEL_RATE = 0.7


@dataclass(frozen=True)
class Piece:
    """One run of text; `x`, `y` is its top left corner in pixels, `size` the font's, `width` the room it may take."""

    text: str
    x: float
    y: float
    size: float
    width: float
    role: Role
    field: str | None = None


@dataclass(frozen=True)
class Sheet:
    """A laid-out card: its size in pixels, its text, and where the portrait placeholder stands."""

    size: tuple[int, int]
    pieces: tuple[Piece, ...]
    portrait: Box | None


@dataclass(frozen=True)
class Style:
    """What one print run has in common."""

    label: float
    value: float
    slash: str
    inline: bool
    wander: float

    @classmethod
    def sample(cls, rng: random.Random, jitter: float) -> "Style":
        return cls(
            label=rng.uniform(16, 19),
            value=rng.uniform(24, 24 + 4 * min(jitter, 1.5)),
            slash=rng.choices(("/", " / "), (80, 20))[0],
            inline=rng.random() < 0.06 * jitter,
            wander=2.0 * jitter,
        )


class Pen:
    """Collects the pieces of one card."""

    def __init__(self, rng: random.Random, record: Record, style: Style) -> None:
        self.rng, self.record, self.style = rng, record, style
        self.pieces: list[Piece] = []

    def put(
        self, text: str, at: tuple[float, float], size: float, width: float, role: Role, *, field: str | None = None
    ) -> None:
        """One piece, a pixel or three away from where it should be."""
        dx, dy = (self.rng.uniform(-self.style.wander, self.style.wander) for _ in range(2))
        self.pieces.append(Piece(text, at[0] + dx, at[1] + dy, size, width, role, field))

    def entry(self, key: str, label: tuple[str, ...], at: tuple[float, float], width: float) -> float:
        """A label over (or beside) its value; returns the y below both. `key` names a field or an extra."""
        value = self.record.printed.get(key) or self.record.extras.get(key)
        x, y = at
        if value is not None or self.rng.random() < _BLANK_LABEL_RATE:
            for line in label:
                self.put(line.replace("/", self.style.slash).strip(), (x, y), self.style.label, width, "label")
                y += self.style.label * 1.32
        else:
            y += self.style.label * 1.32 * len(label)
        if value is None:
            return y + self.style.value * 1.3
        reach = max(map(len, label)) * self.style.label * CHAR_WIDTH
        if self.style.inline and reach + len(value) * self.style.value * CHAR_WIDTH < width:
            self.value(key, value, (x + reach + 24, y - self.style.label * 1.4), width - reach - 24)
            return y + self.style.value * 0.6
        return self.value(key, value, (x, y), width)

    def value(self, key: str, value: str, at: tuple[float, float], width: float) -> float:
        """The value on one line, or on two where it is far too long; returns the y below it."""
        size = self.style.value
        lines = [value]
        crowded = len(value) * size * CHAR_WIDTH > width * 1.2
        if " " in value and (crowded or (len(value) > 14 and self.rng.random() < 0.02)):
            lines = _halves(value)
            size *= 0.85
        field = key if key in self.record.values else None
        for i, line in enumerate(lines):
            self.put(line, (at[0], at[1] + i * size * 1.15), size, width, "value" if field else "other", field=field)
        return at[1] + size * 1.15 * len(lines)


def _halves(text: str) -> list[str]:
    """The text broken at the space nearest its middle."""
    spaces = [i for i, c in enumerate(text) if c == " "]
    cut = min(spaces, key=lambda i: abs(i - len(text) / 2))
    return [text[:cut], text[cut + 1 :]]

"""An entry of a card, and what puts its label and its value on a page."""

from dataclasses import dataclass
from typing import Literal

from adapters.data.card_layout import Role
from adapters.data.fonts import load
from adapters.data.hard.look import Look
from adapters.data.hard.page import BREAK, Mark, Page, wrapped
from adapters.data.hard.wordings import Wording

LEADING = 1.22  # from a value's line to its next one, in its size
Side = Literal["left", "middle", "right"]


@dataclass(frozen=True)
class Entry:
    """`label` is None where the card prints none, `value` where it shows none; `field` only of an output field."""

    key: str
    label: Wording | None
    value: str | None
    field: str | None


class Setter:
    """Puts runs of text on a page in one look."""

    def __init__(self, page: Page, look: Look, leading: float = LEADING, spaces: int = 1) -> None:
        """leading: from a value's line to its next one, in its size; spaces: between a value's words."""
        self.page, self.look, self.leading, self.spaces = page, look, leading, spaces

    def label_lines(self, entry: Entry, width: float) -> list[tuple[str, int]]:
        """Text and size of each line of the label."""
        if entry.label is None:
            return []
        look, size = self.look, self.look.label
        french, english = (text.upper() if look.upper else text for text in entry.label)
        if look.form == "french" or not english:
            return [(french + look.colon, size)]
        whole = f"{french}{look.joiner}{english}{look.colon}"
        if look.form == "line" and load(look.label_file, size).getlength(whole) <= width:
            return [(whole, size)]
        second = round(size * 0.8) if look.form == "small english" else size
        return [
            (f"{french}{look.joiner.rstrip() if look.form == 'line' else ''}", size),
            (english + look.colon, second),
        ]

    def label_widths(self, entry: Entry, width: float) -> list[float]:
        """Pixels of each line of the label."""
        return [load(self.look.label_file, size).getlength(text) for text, size in self.label_lines(entry, width)]

    def value_width(self, entry: Entry) -> float:
        """Pixels of the value, of its longest line where it is broken; an empty one takes a letter's room."""
        font = load(self.look.value_file, self.look.value)
        return max(font.getlength(self._spaced(line)) for line in (entry.value or "M").split(BREAK))

    def on_one_line(self, entry: Entry, width: float, gap: float) -> tuple[float, float] | None:
        """Pixels of label and value where both fit on one line, `gap` between them; None where they do not."""
        label, value = self.label_widths(entry, width), self.value_width(entry)
        return (label[0], value) if len(label) == 1 and label[0] + (value + gap) <= width else None

    def put(self, text: str, x: float, y: float, size: int, file: str, role: Role, *, field: str | None = None) -> Mark:
        """One run; a size that would not be legible becomes the least one that is."""
        look = self.look
        colour = look.ink if role in ("value", "other", "mrz") else look.label_ink
        mark = Mark(text, x, y, max(12, size), file, role, colour, field)
        self.page.marks.append(mark)
        return mark

    def label(self, entry: Entry, x: float, y: float, width: float, *, right: bool = False) -> float:
        """The label's lines; the y below them."""
        for text, size in self.label_lines(entry, width):
            room = load(self.look.label_file, size).getlength(text)
            fitting = round(size * max(0.6, min(1.0, width / room)))
            at = x + width - load(self.look.label_file, fitting).getlength(text) if right else x
            self._run(text, at, y, fitting)
            y += fitting * 1.25
        return y

    def _run(self, text: str, x: float, y: float, size: int) -> None:
        file = self.look.label_file
        if not self.look.small_caps:
            self.put(text, x, y, size, file, "label")
            return
        for word in text.split(" "):
            head = self.put(word[:1], x, y, size, file, "label")
            small = round(size * 0.84)
            tail = self.put(word[1:], x + head.width, y + (size - small) * 0.82, small, file, "label")
            x += head.width + tail.width + size * 0.3

    def value(self, entry: Entry, x: float, y: float, width: float, side: Side = "left") -> float:
        """The value on one line or more, against that side of its room; the y below. An empty one takes its room."""
        look = self.look
        if entry.value is None:
            return y + look.value * 1.25
        size = look.value
        lines = [self._spaced(line) for line in wrapped(entry.value, look.value_file, size, width)]
        longest = max(load(look.value_file, size).getlength(line) for line in lines)
        size = round(size * max(0.62, min(1.0, width / longest)))
        for line in lines:
            role: Role = "value" if entry.field else "other"
            room = load(look.value_file, max(12, size)).getlength(line)
            at = x + {"left": 0.0, "right": width - room, "middle": (width - room) / 2}[side]
            self.put(line, at, y, size, look.value_file, role, field=entry.field)
            y += size * self.leading
        return y

    def _spaced(self, text: str) -> str:
        return text.replace(" ", " " * self.spaces)

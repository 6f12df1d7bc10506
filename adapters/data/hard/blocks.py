"""How one entry is set: its label above, left of, beside, below or around its value."""

from collections.abc import Callable
from dataclasses import dataclass

from adapters.data.fonts import load
from adapters.data.hard.look import Look
from adapters.data.hard.page import Mark, Page, wrapped
from adapters.data.hard.wordings import Wording
from adapters.data.sheet import Role


@dataclass(frozen=True)
class Entry:
    """`label` is None where the card prints none, `value` where it shows none; `field` only of an output field."""

    key: str
    label: Wording | None
    value: str | None
    field: str | None


class Setter:
    """Puts runs of text on a page in one look."""

    def __init__(self, page: Page, look: Look) -> None:
        self.page, self.look = page, look

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

    def value(self, entry: Entry, x: float, y: float, width: float) -> float:
        """The value on one line or two; the y below. An empty one takes its room."""
        look = self.look
        if entry.value is None:
            return y + look.value * 1.25
        size = look.value
        lines = wrapped(entry.value, look.value_file, size, width)
        longest = max(load(look.value_file, size).getlength(line) for line in lines)
        size = round(size * max(0.62, min(1.0, width / longest)))
        for line in lines:
            role: Role = "value" if entry.field else "other"
            self.put(line, x, y, size, look.value_file, role, field=entry.field)
            y += size * 1.22
        return y


Block = Callable[[Setter, Entry, float, float, float], float]


def above(s: Setter, entry: Entry, x: float, y: float, width: float) -> float:
    """The label over the value."""
    return s.value(entry, x, s.label(entry, x, y, width), width)


def below(s: Setter, entry: Entry, x: float, y: float, width: float) -> float:
    """The label under the value."""
    return s.label(entry, x, s.value(entry, x, y, width), width)


def left(s: Setter, entry: Entry, x: float, y: float, width: float) -> float:
    """The label in a column of its own, left of the value."""
    column = width * 0.36
    drop = (s.look.value - s.look.label) * 0.8 if len(s.label_lines(entry, column)) == 1 else 0
    end = s.label(entry, x, y + drop, column)
    return max(end, s.value(entry, x + column + s.look.value * 0.6, y, width - column - s.look.value * 0.6))


def tabbed(s: Setter, entry: Entry, x: float, y: float, width: float) -> float:
    """The label set against its right edge, left of the value."""
    column = width * 0.4
    drop = (s.look.value - s.look.label) * 0.8 if len(s.label_lines(entry, column)) == 1 else 0
    end = s.label(entry, x, y + drop, column, right=True)
    return max(end, s.value(entry, x + column + s.look.value * 0.5, y, width - column - s.look.value * 0.5))


def inline(s: Setter, entry: Entry, x: float, y: float, width: float) -> float:
    """Label and value on one line where both fit, as a form has it; else the label over the value."""
    lines = s.label_lines(entry, width)
    reach = sum(load(s.look.label_file, size).getlength(text) for text, size in lines) + s.look.value * 0.5
    room = load(s.look.value_file, s.look.value).getlength(entry.value or "M")
    if len(lines) != 1 or reach + room > width:
        return above(s, entry, x, y, width)
    s.label(entry, x, y + (s.look.value - s.look.label) * 0.8, width)
    return s.value(entry, x + reach, y, width - reach)


def around(s: Setter, entry: Entry, x: float, y: float, width: float) -> float:
    """French over the value, English under it."""
    if entry.label is None or not all(entry.label):
        return above(s, entry, x, y, width)
    french, english = entry.label
    y = s.label(Entry(entry.key, (french, ""), None, None), x, y, width)
    y = s.value(entry, x, y, width)
    return s.label(Entry(entry.key, (english, ""), None, None), x, y, width)


def boxed(s: Setter, entry: Entry, x: float, y: float, width: float) -> float:
    """The label over the value, a ruled box around both."""
    end = above(s, entry, x + 8, y + 4, width - 16)
    s.page.rules.append((x, y, x + width, end + 2))
    return end + 6


def banner(s: Setter, entry: Entry, x: float, y: float, width: float) -> float:
    """The label on a pale strip over the value."""
    end = s.label(entry, x + 10, y + 3, width - 20)
    if entry.label is not None:
        pale = (208, 220, 214)
        s.page.strips.append(((x, y, x + width, end + 3), pale))
    return s.value(entry, x + 10, end + 5, width - 20)

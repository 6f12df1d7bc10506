"""How one entry is set: its label above, left of, beside, below or around its value."""

from collections.abc import Callable

from adapters.data.hard.setter import Entry, Setter

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
    drop = s.look.drop if len(s.label_lines(entry, column)) == 1 else 0
    end = s.label(entry, x, y + drop, column)
    return max(end, s.value(entry, x + column + s.look.value * 0.6, y, width - column - s.look.value * 0.6))


def tabbed(s: Setter, entry: Entry, x: float, y: float, width: float) -> float:
    """The label set against its right edge, left of the value."""
    column = width * 0.4
    drop = s.look.drop if len(s.label_lines(entry, column)) == 1 else 0
    end = s.label(entry, x, y + drop, column, right=True)
    return max(end, s.value(entry, x + column + s.look.value * 0.5, y, width - column - s.look.value * 0.5))


def inline(s: Setter, entry: Entry, x: float, y: float, width: float) -> float:
    """Label and value on one line where both fit, as a form has it; else the label over the value."""
    gap = s.look.value * 0.5
    fitting = s.on_one_line(entry, width, gap)
    if fitting is None:
        return above(s, entry, x, y, width)
    reach = fitting[0] + gap
    s.label(entry, x, y + s.look.drop, width)
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

"""More ways to set an entry: against the right edge, on an axis, the value first, the label beside its middle."""

from adapters.data.hard.blocks import above, below
from adapters.data.hard.page import BREAK
from adapters.data.hard.setter import Entry, Setter


def opposite(s: Setter, entry: Entry, x: float, y: float, width: float) -> float:
    """Label at the left, value against the right edge of one line; the label over the value where both do not fit."""
    fitting = s.on_one_line(entry, width, s.look.value)
    if fitting is None:
        return above(s, entry, x, y, width)
    _, room = fitting
    s.label(entry, x, y + s.look.drop, width)
    return s.value(entry, x + width - room - 1, y, room + 1, "right")


def centred(s: Setter, entry: Entry, x: float, y: float, width: float) -> float:
    """Label over value, both about the middle of their room."""
    longest, room = max(s.label_widths(entry, width), default=0.0), s.value_width(entry)
    if longest > width or room > width:
        return above(s, entry, x, y, width)
    y = s.label(entry, x + (width - longest) / 2, y, longest) if entry.label is not None else y
    return s.value(entry, x + (width - room) / 2, y, room + 1, "middle")


def right(s: Setter, entry: Entry, x: float, y: float, width: float) -> float:
    """The value, then its label smaller behind it; the label under the value where both do not fit."""
    gap = s.look.value * 0.6
    fitting = s.on_one_line(entry, width, gap)
    if fitting is None:
        return below(s, entry, x, y, width)
    room = fitting[1] + gap
    end = s.value(entry, x, y, room)
    s.label(entry, x + room, y + s.look.drop, width - room)
    return end


def flush(s: Setter, entry: Entry, x: float, y: float, width: float) -> float:
    """Label over value, both against the right edge."""
    room = s.value_width(entry)
    if room > width:
        return above(s, entry, x, y, width)
    y = s.label(entry, x, y, width, right=True) if entry.label is not None else y
    return s.value(entry, x, y, width, "right")


def beside(s: Setter, entry: Entry, x: float, y: float, width: float) -> float:
    """The label in a column of its own, at the middle of the value's lines."""
    column, gap = width * 0.36, s.look.value * 0.6
    label = sum(size * 1.25 for _, size in s.label_lines(entry, column))
    value = ((entry.value or "").count(BREAK) + 1) * s.look.value * s.leading
    s.label(entry, x, y + max(0.0, (value - label) / 2), column)
    end = s.value(entry, x + column + gap, y + max(0.0, (label - value) / 2), width - column - gap)
    return max(end, y + label)

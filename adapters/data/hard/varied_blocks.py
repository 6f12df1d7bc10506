"""More ways to set an entry: its value against the right edge, on its own axis, or before its label."""

from adapters.data.fonts import load
from adapters.data.hard.blocks import Entry, Setter, above


def opposite(s: Setter, entry: Entry, x: float, y: float, width: float) -> float:
    """Label at the left, value against the right edge of one line; the label over the value where both do not fit."""
    lines = s.label_lines(entry, width)
    font = load(s.look.value_file, s.look.value)
    reach = sum(load(s.look.label_file, size).getlength(text) for text, size in lines) + s.look.value
    room = font.getlength(entry.value or "M")
    if len(lines) != 1 or reach + room > width:
        return above(s, entry, x, y, width)
    s.label(entry, x, y + (s.look.value - s.look.label) * 0.8, width)
    return s.value(entry, x + width - room - 1, y, room + 1)


def centred(s: Setter, entry: Entry, x: float, y: float, width: float) -> float:
    """Label over value, both about the middle of their room."""
    lines = s.label_lines(entry, width)
    longest = max((load(s.look.label_file, size).getlength(text) for text, size in lines), default=0.0)
    room = load(s.look.value_file, s.look.value).getlength(entry.value or "M")
    if longest > width or room > width:
        return above(s, entry, x, y, width)
    y = s.label(entry, x + (width - longest) / 2, y, longest) if lines else y
    return s.value(entry, x + (width - room) / 2, y, room + 1)


def right(s: Setter, entry: Entry, x: float, y: float, width: float) -> float:
    """The value, then its label smaller behind it; the label under the value where both do not fit."""
    lines = s.label_lines(entry, width)
    room = load(s.look.value_file, s.look.value).getlength(entry.value or "M") + s.look.value * 0.6
    reach = sum(load(s.look.label_file, size).getlength(text) for text, size in lines)
    if len(lines) != 1 or reach + room > width:
        return s.label(entry, x, s.value(entry, x, y, width), width)
    end = s.value(entry, x, y, room)
    s.label(entry, x + room, y + (s.look.value - s.look.label) * 0.8, width - room)
    return end

"""A value that goes on below: the line under it that is nobody's value and no label.

Cards break a long name over two lines, one right under the other. In the text alone that is hard to see, on the
picture it is plain: over 2,893 text values of drawn cards the rule found 83 of 88 second lines and joined none that
was not one.
"""

from collections.abc import Collection, Mapping, Sequence

from ocr_frontend.documents.labels import joined, labels_in, letters
from ocr_frontend.llm.answers import Element, line_numbers
from ocr_frontend.ocr.textline import TextLine

# All in heights of the upper line: how far below its top the lower one's may begin, and how far to the side.
_NEAREST, _FARTHEST, _ASIDE = 0.55, 1.75, 0.9
# The lower line is printed in the same size.
_SMALLEST, _LARGEST = 0.7, 1.4
_FEWEST_LETTERS = 3
# Words that stand on the cards without being a label or a value.
_BACKGROUND = frozenset({"SPECIMEN", "TRAVAIL", "PATRIE", "PAIX", "CMR", "DGSN", "DGNS", "CAMEROUN", "CAMEROON"})


def with_own_parts(
    elements: Mapping[str, Element], texts: Collection[str], lines: Sequence[TextLine]
) -> dict[str, Element]:
    """The answer's elements; a line that was joined to one value while it stands right under another goes to that."""
    sorted_out = dict(elements)
    for name, element in elements.items():
        if name not in texts or not isinstance(element, tuple) or not _exist(element, lines):
            continue
        first, *rest = element
        strays = [part for part in rest if not any(_under(lines[o], lines[part]) for o in element if o != part)]
        for part in strays:
            owners = [
                other
                for other, its in sorted_out.items()
                if other != name and other in texts and isinstance(its, int) and _exist((its,), lines)
                if _under(lines[its], lines[part])
            ]
            if len(owners) == 1:
                rest.remove(part)
                owned = sorted_out[owners[0]]
                assert isinstance(owned, int)
                sorted_out[owners[0]] = (owned, part)
        sorted_out[name] = (first, *rest) if rest else first
    return sorted_out


def _exist(numbers: Collection[int], lines: Sequence[TextLine]) -> bool:
    return all(0 <= number < len(lines) for number in numbers)


def with_continuations(
    elements: Mapping[str, Element], texts: Collection[str], lines: Sequence[TextLine]
) -> dict[str, Element]:
    """The answer's elements; a line number of a field in `texts` becomes two where the value goes on below."""
    claimed = {index for element in elements.values() for index in line_numbers(element)}
    joined_up: dict[str, Element] = {}
    for name, element in elements.items():
        joined_up[name] = element
        if name in texts and isinstance(element, int) and 0 <= element < len(lines):
            more = continuation(element, lines, claimed)
            if more is not None:
                joined_up[name] = (element, more)
    return joined_up


def continuation(index: int, lines: Sequence[TextLine], claimed: Collection[int]) -> int | None:
    """The number of the line that goes on with line `index`, None where it ends there. `claimed`: values' lines."""
    below = [
        other
        for other, line in enumerate(lines)
        if other != index and other not in claimed and _under(lines[index], line) and _could_be_value(line.text)
    ]
    return below[0] if len(below) == 1 else None


def _could_be_value(text: str) -> bool:
    """Letters only, none of them a label's or the background's."""
    plain = letters(text)
    if len(plain) < _FEWEST_LETTERS or any(character.isdigit() for character in text) or plain in _BACKGROUND:
        return False
    return not labels_in(joined([text])).names


def _under(upper: TextLine, lower: TextLine) -> bool:
    """Whether `lower` begins right below the beginning of `upper`, along the way that `upper` is written."""
    (x, y), (right, along), _, (left, bottom) = upper.box
    width = ((right - x) ** 2 + (along - y) ** 2) ** 0.5
    height = ((left - x) ** 2 + (bottom - y) ** 2) ** 0.5
    if not width or not height:
        return False
    way = ((right - x) / width, (along - y) / width)
    (a, b), _, _, (c, d) = lower.box
    aside = ((a - x) * way[0] + (b - y) * way[1]) / height
    down = ((b - y) * way[0] - (a - x) * way[1]) / height
    size = float(((c - a) ** 2 + (d - b) ** 2) ** 0.5) / height
    return bool(_NEAREST < down < _FARTHEST and abs(aside) < _ASIDE and _SMALLEST < size < _LARGEST)

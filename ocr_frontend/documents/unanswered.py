"""Which fields of a page have no value, of those whose values have a form of their own."""

from collections.abc import Sequence

from ocr_frontend.documents.classify import Classifier
from ocr_frontend.documents.labels import Reading
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.ocr.boxes import area, middle_in, writing_height
from ocr_frontend.ocr.pixels import Rectangle
from ocr_frontend.ocr.textline import TextLine
from ocr_frontend.ocr.unanswered import Unanswered

# In heights of the label: how far behind it, and how far above and below it, its value may stand.
_BEHIND, _ABOVE, _BELOW = 14.0, 2.2, 3.2


class UnansweredLabels:
    """Of the documents that the classifier knows."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier

    def find(self, lines: Sequence[TextLine]) -> list[Unanswered]:
        """Of a page that is one document for certain, in its order of fields."""
        readings = self._classifier.read(lines)
        found = self._classifier.detect(lines, readings)
        if found.document is None or found.several:
            return []
        spec = found.document
        names = [{name for name, _ in each.get(spec.name, ())} for each in self._classifier.printed(readings)]
        asked = [field for field in spec.fields if not field.type.free]
        each = (self._of(field, lines, readings, names) or _unread(field, asked, lines, names) for field in asked)
        return [one for one in each if one is not None]

    def _of(
        self, field: FieldSpec, lines: Sequence[TextLine], readings: Sequence[Reading], names: Sequence[set[str]]
    ) -> Unanswered | None:
        label = tuple(n for n, found in enumerate(names) if field.key in found)
        if not label:
            return None
        where = _around(label, lines)

        def holds(text: str) -> bool:
            (read,) = self._classifier.read([TextLine(text, 1.0, lines[label[0]].box)])
            return _says(field, text, read)

        answered = (
            _says(field, line.text, read) for line, read in zip(lines, readings, strict=True) if middle_in(line, where)
        )
        return None if any(answered) else Unanswered(label, where, holds)


def _unread(
    field: FieldSpec, asked: Sequence[FieldSpec], lines: Sequence[TextLine], names: Sequence[set[str]]
) -> Unanswered | None:
    """A field whose label was not read, where fewer lines hold values of its type than the document has such fields."""
    if any(field.key in found for found in names):
        return None
    alike = sum(other.type == field.type for other in asked)
    values = sum(field.type.holds(line.text) for line in lines)
    return Unanswered((), area(*lines), field.type.holds) if values < alike else None


def _says(field: FieldSpec, text: str, read: Reading) -> bool:
    """Whether a line is a value of the field, by itself or beside labels."""
    return any(field.type.holds(part) for part in (text, read.rest, read.head) if part)


def _around(label: Sequence[int], lines: Sequence[TextLine]) -> Rectangle:
    """Where the value may stand: along the label's writing, which may be tilted."""
    height = max(writing_height(lines[n]) for n in label)
    (left, top), (right, edge), _, _ = lines[label[0]].box
    slope = (edge - top) / max(1, right - left)
    a, b, c, d = area(*(lines[n] for n in label))
    drop = round(slope * _BEHIND * height)
    return (
        round(a - height), round(b - _ABOVE * height + min(0, drop)),
        round(c + _BEHIND * height), round(d + _BELOW * height + max(0, drop)),
    )  # fmt: skip

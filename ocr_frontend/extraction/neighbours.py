"""Which label a value stands under or beside on the picture: what a clerk looks at, and the model does not see."""

from collections.abc import Sequence

from ocr_frontend.documents.labels import joined, labels_in
from ocr_frontend.documents.own_labels import OWN_LABELS
from ocr_frontend.extraction.label_lines import is_label
from ocr_frontend.ocr.orientation import levelled
from ocr_frontend.ocr.textline import TextLine

_LOUD = frozenset().union(*OWN_LABELS.values())  # labels that have a value
# In heights of the value's line: how far above its middle, and to the left of it, a label's middle may stand.
_ABOVE, _BESIDE = 3.2, 26.0
_SAME_ROW = 0.6
_READ = 0.8  # score below which a line may be dirt


class Neighbours:
    """The labels of a page's lines, found once. Lines are the prompt's."""

    def __init__(self, lines: Sequence[TextLine]) -> None:
        self._lines = lines
        self._labels = [labels_in(joined([line.text])).names & _LOUD for line in lines]
        self._places = [_place(line) for line in levelled(lines)]

    def labels_of(self, index: int) -> frozenset[str]:
        """Those that stand in the line itself."""
        return self._labels[index]

    def above(self, index: int) -> frozenset[str]:
        """The labels of the nearest line above or to the left that has any, empty where none is near."""
        x, y, height, right = self._places[index]
        found, nearest = frozenset[str](), float("inf")
        for other, (left, middle, _, end) in enumerate(self._places):
            if other == index or not self._labels[other]:
                continue
            down, aside = (y - middle) / height, (x - left) / height
            if _SAME_ROW < down < _ABOVE and left < right and end > x - 2 * height:
                distance = down + 0.15 * abs(aside)
            elif abs(down) <= _SAME_ROW and 0 < aside < _BESIDE:
                distance = 1.0 + 0.05 * (x - end) / height
            else:
                continue
            if distance < nearest:
                found, nearest = self._labels[other], distance
        return found

    def below(self, field: str, claimed: frozenset[int]) -> bool:
        """Whether under the field's own label stands a line that no field claims and that is no label."""
        own = OWN_LABELS.get(field, frozenset())
        return any(
            index not in claimed and not self._labels[index] and not is_label(line.text) and self.above(index) & own
            for index, line in enumerate(self._lines)
            if line.confidence > _READ
        )


def _place(line: TextLine) -> tuple[float, float, float, float]:
    """Left, middle (y), height and right, in pixels of a level picture."""
    xs, ys = [x for x, _ in line.box], [y for _, y in line.box]
    (a, b), _, _, (c, d) = line.box
    height = max(1.0, ((c - a) ** 2 + (d - b) ** 2) ** 0.5)
    return min(xs), sum(ys) / 4, height, max(xs)

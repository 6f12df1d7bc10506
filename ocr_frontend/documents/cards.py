"""Several cards on one picture: its lines parted so that each part is of one card.

What tells two cards from one is what no card has: a label twice, or labels that no document prints together. Only then
is a straight cut looked for between them, along rows or columns, and both halves are looked at again.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from ocr_frontend.documents.classify import Classifier, Detection
from ocr_frontend.documents.labels import Reading
from ocr_frontend.ocr.geometry import Place, places
from ocr_frontend.ocr.textline import TextLine

_FEWEST = 2  # labels by which a half is a document, and that must contradict the other half
_MOST = 120  # labelled lines, beyond which it is no picture of cards
_VALUES = 0.5  # lines that are no label, to one that is
_CROSSING = 12  # one line in so many may lie across a cut, as a title over two cards does


@dataclass(frozen=True, slots=True)
class Card:
    """The lines of one card, in the page's order, and what it was recognised as."""

    lines: tuple[TextLine, ...]
    detection: Detection


def cards_on(lines: Sequence[TextLine], classifier: Classifier) -> list[Card]:
    """Every card of a page, from top to bottom and from left to right; at least one, which may be unknown.

    Where two cards cannot be told apart, theirs is one part whose `detection.several` says so.
    """
    readings = classifier.read(lines)
    labels = classifier.printed(readings)
    at = places(lines)
    parts = _parts(tuple(range(len(lines))), labels, at)
    if len(parts) == 1 or any(_of_a_list(part, labels, readings) for part in parts):
        return [Card(tuple(lines), classifier.detect(lines, readings))]
    found = []
    for part in _in_order(parts, at):
        own = [lines[index] for index in part]
        found.append(Card(tuple(own), classifier.detect(own, [readings[index] for index in part])))
    return found


Labels = Sequence[Mapping[str, frozenset[tuple[str, str]]]]  # of each line by document: names and languages
_Part = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Cut:
    """Two halves of a part; weight: how much speaks for the cut; gap: between the halves, in heights of a line."""

    weight: float
    gap: float
    halves: tuple[_Part, _Part]


def _parts(part: _Part, labels: Labels, at: Sequence[Place]) -> list[_Part]:
    labelled = [index for index in part if labels[index]]
    if len(labelled) < 2 * _FEWEST or len(labelled) > _MOST or not _contradicts_itself(labelled, labels):
        return [part]
    whole = _document(labelled, labels, "")
    cuts = [cut for across in (False, True) for cut in _cuts(part, labelled, labels, at, whole, across)]
    if not cuts:
        return [part]
    best = max(cuts, key=lambda cut: (cut.weight, cut.gap))
    return [each for half in best.halves for each in _parts(half, labels, at)]


def _of_a_list(part: _Part, labels: Labels, readings: Sequence[Reading]) -> bool:
    """Whether a part is a piece of a list of labels, as forms have them: with labels of other documents among its own,
    or hardly a line that is more than a label."""
    labelled = [index for index in part if labels[index]]
    if len(labelled) < _FEWEST:
        return False
    bare = sum(readings[index].bare for index in labelled)
    strange = _strange(labelled, labels, _document(labelled, labels, ""))
    return strange > 0 or len(part) - bare < _VALUES * bare


def _cuts(
    part: _Part, labelled: Sequence[int], labels: Labels, at: Sequence[Place], whole: str, across: bool
) -> list[_Cut]:
    """Between two labelled lines that follow each other, at the widest gap there."""

    def span(index: int) -> tuple[float, float]:
        return (at[index].left, at[index].right) if across else (at[index].top, at[index].bottom)

    def middle(index: int) -> float:
        return sum(span(index)) / 2

    lines, order, found = sorted(part, key=middle), sorted(labelled, key=middle), []
    for count in range(_FEWEST, len(order) - _FEWEST + 1):
        first, second = order[:count], order[count:]
        weight = _weight(first, second, labels, whole)
        if weight is None:
            continue
        begin, end = middle(first[-1]), middle(second[0])
        gaps = [
            (min(span(i)[0] for i in lines[k:]) - max(span(i)[1] for i in lines[:k]), k)
            for k in range(1, len(lines))
            if middle(lines[k - 1]) >= begin and middle(lines[k]) <= end
        ]
        gap, k = max(gaps, default=(0.0, 0))
        where = (middle(lines[k - 1]) + middle(lines[k])) / 2 if k else 0.0
        if k and sum(span(i)[0] < where < span(i)[1] for i in lines) <= len(lines) // _CROSSING:
            halves = tuple(sorted(lines[:k])), tuple(sorted(lines[k:]))
            found.append(_Cut(weight, gap / at[lines[k]].height, halves))
    return found


def _weight(first: Sequence[int], second: Sequence[int], labels: Labels, whole: str) -> float | None:
    """None where both halves may be of one card."""
    one, other = _document(first, labels, whole), _document(second, labels, whole)
    mine, theirs = _names(first, labels, one), _names(second, labels, other)
    if len(mine) < _FEWEST or len(theirs) < _FEWEST:
        return None
    common = max(_common(first, second, labels, name) for name in (one, other))
    apart = min(_strange(first, labels, other), _strange(second, labels, one)) if one != other else 0
    conflict = max(common, apart)
    if conflict < _FEWEST:
        return None
    impure = sum(_strange(half, labels, name) + _repeated(half, labels, name)
                 for half, name in ((first, one), (second, other)))  # fmt: skip
    return 2 * conflict - impure


def _contradicts_itself(labelled: Sequence[int], labels: Labels) -> bool:
    """Whether the labels are of more than one card, whichever document that may be."""
    name = _document(labelled, labels, "")
    return _strange(labelled, labels, name) >= _FEWEST or _repeated(labelled, labels, name) >= _FEWEST


def _document(labelled: Sequence[int], labels: Labels, preferred: str) -> str:
    """The document that the labels speak for, as `Classifier` counts them; `preferred` where several are as good."""
    names = sorted({name for index in labelled for name in labels[index]})
    return max(
        names,
        key=lambda name: (
            len(_names(labelled, labels, name)) - 1.5 * _strange(labelled, labels, name),
            name == preferred,
        ),
        default="",
    )


def _names(labelled: Sequence[int], labels: Labels, document: str) -> set[str]:
    return {name for index in labelled for name, _ in labels[index].get(document, ())}


def _counted(labelled: Sequence[int], labels: Labels, document: str) -> Counter[tuple[str, str]]:
    """A card may have one label in two lines, one a language."""
    return Counter(each for index in labelled for each in labels[index].get(document, ()))


def _common(first: Sequence[int], second: Sequence[int], labels: Labels, document: str) -> int:
    """Labels that both halves have in one language."""
    both = _counted(first, labels, document).keys() & _counted(second, labels, document).keys()
    return len({name for name, _ in both})


def _repeated(labelled: Sequence[int], labels: Labels, document: str) -> int:
    return len({name for (name, _), count in _counted(labelled, labels, document).items() if count > 1})


def _strange(labelled: Sequence[int], labels: Labels, document: str) -> int:
    """Different labels that the document does not print."""
    others = (labels[index] for index in labelled if document not in labels[index])
    return len({min(next(iter(found.values())))[0] for found in others})


def _in_order(parts: Sequence[_Part], at: Sequence[Place]) -> list[_Part]:
    """Rows of cards from top to bottom, each from left to right."""
    tops = {part: min(at[index].top for index in part) for part in parts}
    ends = {part: max(at[index].bottom for index in part) for part in parts}
    rest, ordered = sorted(parts, key=lambda part: tops[part]), []
    while rest:
        half = (tops[rest[0]] + ends[rest[0]]) / 2
        row = [part for part in rest if part is rest[0] or tops[part] < half]
        ordered += sorted(row, key=lambda part: median(at[index].left for index in part))
        rest = [part for part in rest if part not in row]
    return ordered

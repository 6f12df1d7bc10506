"""A page's labels as people see them: one that was read in several lines is one label."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ocr_frontend.extraction.reranker.surroundings import Surroundings

Kind = Literal["field", "other", "unknown"]

# In heights: down and aside, up to which lines of one label's name are that label; the same of lines nobody described.
_SAME_LABEL, _STACKED = (2.8, 3.0), 1.5


@dataclass(frozen=True, slots=True)
class LabelGroup:
    """One label, in as many lines as it was read in. names: of its fields, or of labels without one."""

    names: frozenset[str]
    lines: tuple[int, ...]
    kind: Kind

    @property
    def fields(self) -> tuple[str, ...]:
        """The keys of the fields that it may be the label of."""
        return tuple(sorted(name for name in self.names if not name.startswith("+")))


def label_groups(around: Surroundings) -> list[LabelGroup]:
    """The page's labels: lines of one name near each other are one, so are lines below each other that read like labels
    that nobody described."""
    page = around.page
    named = [n for n in range(len(page.lines)) if page.labels_in(n)]
    unknown = [n for n in range(len(page.lines)) if _unknown(around, n)]
    groups = list[LabelGroup]()
    for lines in _joined(named, lambda a, b: bool(page.labels_in(a) & page.labels_in(b)) and _near(around, a, b)):
        names = frozenset().union(*(page.labels_in(n) for n in lines))
        groups.append(LabelGroup(names, lines, "field" if any(not n.startswith("+") for n in names) else "other"))
    stacked = _joined(unknown, lambda a, b: _stacked(around, a, b))
    return groups + [LabelGroup(frozenset(), lines, "unknown") for lines in stacked]


def _joined(lines: Sequence[int], together: Callable[[int, int], bool]) -> Iterable[tuple[int, ...]]:
    left = list(lines)
    while left:
        group = [left.pop(0)]
        for n in list(left):
            if any(together(n, other) for other in group):
                group.append(n)
                left.remove(n)
        yield tuple(group)


def _near(around: Surroundings, one: int, other: int) -> bool:
    a, b = around.places[one], around.places[other]
    down, aside = _SAME_LABEL
    return abs(a.middle - b.middle) < down * max(a.height, b.height) and a.overlaps(b, aside * b.height)


def _stacked(around: Surroundings, one: int, other: int) -> bool:
    a, b = around.places[one], around.places[other]
    return abs(a.middle - b.middle) < _STACKED * b.height and abs(a.left - b.left) < _STACKED * b.height


def _unknown(around: Surroundings, line: int) -> bool:
    page = around.page
    return not page.labels_in(line) and not page.is_label(line) and page.may_be_label(line) and not page.fitting(line)

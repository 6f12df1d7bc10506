"""In which order fields and lines stand. A document's file lists its fields as cards print them, from top to bottom:
where a label cannot be read, what stands before and after its value still says whose it is."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property
from math import log

from ocr_frontend.documents.letters import has_number, letters
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.documents.text_kinds import OF_STANDARD, shipped_kinds
from ocr_frontend.extraction.reranker.line_ends import Features
from ocr_frontend.extraction.reranker.line_sets import Lines
from ocr_frontend.extraction.reranker.opinions import Opinions
from ocr_frontend.extraction.reranker.surroundings import Surroundings

_FEWEST = 2  # letters of free text
_LIKELY, _UNLIKELY = log(0.5), log(0.25)  # of a field's kind; what a line that is not open is taken for
_SMALLEST, _LARGEST = 0.72, 1.6  # of the values' height: labels and titles are set in other sizes


class Order:
    """Of one page. Lines are compared by their numbers, which follow the page row by row.

    known: by field the line where its own label, or a form that no other line has, puts it; open_fields: those of free
    text that nothing puts anywhere; open_lines: those that may be their values.
    """

    def __init__(self, around: Surroundings, opinions: Opinions) -> None:
        self._around, self._opinions, fields = around, opinions, around.page.spec.fields
        self._at = {spec.key: at for at, spec in enumerate(fields)}
        self.known = {spec.key: lines[0] for spec in fields if (lines := self._known(spec))}
        self.open_fields = tuple(s.key for s in fields if s.type.free and s.key not in opinions.labels)
        self.open_lines = tuple(n for n in range(len(around.places)) if n not in self._taken and self._open(n))
        self._gaps = {key: self._gap(key) for key in self.open_fields}

    @cached_property
    def _kinds(self) -> dict[str, dict[int, float]]:
        """By field how well each open line's letters go with it."""
        page, kinds = self._around.page, shipped_kinds()
        return {
            spec.key: {n: kinds.features(page.text_of(n, spec.key), spec.standard)["kind"] for n in self.open_lines}
            for spec in page.spec.fields
            if spec.standard in OF_STANDARD
        }

    def _known(self, spec: FieldSpec) -> Lines:
        if lines := self._opinions.labels.get(spec.key):
            return lines
        ruled = self._opinions.rules[spec.key]
        return ruled if not spec.type.free and all(spec.key in self._around.page.fitting(n) for n in ruled) else ()

    @cached_property
    def _taken(self) -> frozenset[int]:
        return frozenset(n for lines in self._opinions.labels.values() for n in lines) | frozenset(self.known.values())

    def _open(self, line: int) -> bool:
        page, text = self._around.page, self._around.page.lines[line].text
        if self._around.labels[line] or page.labels_in(line) or page.may_be_label(line) or page.fitting(line):
            return False
        owners = page.owners(line)
        if owners and all(name.startswith("+") for name in owners):  # an address, say
            return False
        size = self._around.places[line].height / self._around.looks.value_height
        return len(letters(text)) >= _FEWEST and not has_number(text) and _SMALLEST < size < _LARGEST

    def of_field(self, key: str) -> Features:
        """What is open on the page, and between the known fields before this one and after it."""
        found: Features = {"open_lines": len(self.open_lines), "open_fields": len(self.open_fields)}
        if kinds := self._kinds.get(key):
            found |= {"open_kind": max(kinds.values()), "open_of_kind": sum(kind > _LIKELY for kind in kinds.values())}
        if key not in self.open_fields:
            return found
        fields, lines = self._in_gap(key)
        return found | {
            "gap_turned": self._gaps[key][0] > self._gaps[key][1],
            "gap_fields": len(fields),
            "gap_lines": len(lines),
            "gap_place": fields.index(key),
        }

    def of_lines(self, key: str, lines: Lines) -> Features:
        """How a set of at least one line stands to the known fields, and to what is open before and after it."""
        at, first, last = self._at[key], lines[0], lines[-1]
        others = {self._at[other]: line for other, line in self.known.items() if other != key and line not in lines}
        found: Features = {
            "order_against": sum((other < at) != (line < first) for other, line in others.items()),
            "order_known": len(others),
        }
        if kinds := self._kinds.get(key):
            found["kinds_better"] = sum(kinds[n] > kinds.get(first, _UNLIKELY) for n in kinds if n not in lines)
        before = max(((line, other) for other, line in others.items() if line < first), default=None)
        after = min(((line, other) for other, line in others.items() if line > last), default=None)
        if before is not None:
            found["step_before"] = at - before[1]
            found["open_before"] = _between(self.open_lines, before[0], first)
        if after is not None:
            found["step_after"] = after[1] - at
            found["open_after"] = _between(self.open_lines, last, after[0])
        if key not in self.open_fields:
            return found
        fields, between = self._in_gap(key)
        return found | {
            "is_open": _between(self.open_lines, first - 1, first + 1) > 0,
            "rank_before": bisect_left(self.open_lines, first) - self.open_fields.index(key),
            "rank_after": _after(self.open_lines, last) - len(self.open_fields) + 1 + self.open_fields.index(key),
            "in_gap": first in between,
            "gap_before": bisect_left(between, first) - fields.index(key),
            "gap_after": _after(between, last) - len(fields) + 1 + fields.index(key),
        }

    def _gap(self, key: str) -> tuple[int, int]:
        """The lines of the nearest known fields before this one and after it, in the document's order."""
        at = self._at[key]
        before = max(((self._at[o], n) for o, n in self.known.items() if self._at[o] < at), default=(-1, -1))
        after = min(
            ((self._at[o], n) for o, n in self.known.items() if self._at[o] > at), default=(0, len(self._around.places))
        )
        return before[1], after[1]

    def _in_gap(self, key: str) -> tuple[list[str], list[int]]:
        """The open fields and the open lines between the same two."""
        first, last = self._gaps[key]
        fields = [other for other in self.open_fields if self._gaps[other] == (first, last)]
        return fields, [n for n in self.open_lines if first < n < last]


def _after(ordered: Sequence[int], line: int) -> int:
    """How many come after a line."""
    return len(ordered) - bisect_right(ordered, line)


def _between(ordered: Sequence[int], first: int, last: int) -> int:
    """How many stand between two lines."""
    return max(0, bisect_left(ordered, last) - bisect_right(ordered, first))

"""The rule about a date or number that the OCR read in pieces: `17`, `07`, `2018`, or `201 889`, `724 296`."""

from ocr_frontend.documents.letters import characters, has_number
from ocr_frontend.documents.page import LabelledPage
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.extraction.candidate import READ, Candidate, Elements, claimed_by_others, field_by_field
from ocr_frontend.ocr.geometry import rows_from


@field_by_field
def read_in_pieces(spec: FieldSpec, elements: Elements, page: LabelledPage) -> Candidate | None:
    """An empty field of a strict type, where the numbers of one row alone are such a value together: under its own
    label, or no other field lacks one."""
    if elements.get(spec.key) is not None or spec.type.free:
        return None
    alone = not any(s.type == spec.type and s is not spec and elements.get(s.key) is None for s in page.spec.fields)
    claimed = claimed_by_others(elements, spec.key)
    free = frozenset(
        n
        for n, line in enumerate(page.lines)
        if n not in claimed and line.confidence >= READ and has_number(line.text) and not page.labels_in(n)
    )
    begins = free - {after for n in free for after in _right_of(n, page, free)}
    ends = ([*rows_from(first, page.places, lambda n: _right_of(n, page, free))][-1] for first in sorted(begins))
    rows = [row for row in ends if _whole(spec, row, page)]
    if len(rows) != 1 or not (alone or spec.key in page.owners(rows[0][0])):
        return None
    return Candidate(rows[0], "read_in_pieces")


def _right_of(line: int, page: LabelledPage, free: frozenset[int]) -> list[int]:
    return [n for n in free if n != line and page.places[line].goes_on_in(page.places[n])]


def _whole(spec: FieldSpec, row: tuple[int, ...], page: LabelledPage) -> bool:
    """Whether the row is one value and nothing else."""
    text = " ".join(page.lines[n].text for n in row)
    found = list(spec.type.finds(text))
    values = {each.value for each in found}
    return len(values) == 1 and found[0].exact and characters(text) == characters(str(found[0].value))

"""A value's segments: one line, several, a stretch that holds a written value, the zone, none."""

import pytest

from ocr_frontend.documents.registry import DOCUMENTS, FieldSpec
from ocr_frontend.extraction.grounding import lines_of
from ocr_frontend.extraction.resolve import Resolved, resolve
from ocr_frontend.llm.answers import Element
from ocr_frontend.ocr.textline import TextLine


def _line(text: str, row: int) -> TextLine:
    return TextLine(text, 0.9, ((0, 20 * row), (90, 20 * row), (90, 20 * row + 15), (0, 20 * row + 15)))


PAGE = [_line(text, row) for row, text in enumerate(("NOM", "", "NGO", "MBARGA", "YAOUNDE", "YAOUNDE"))]
SHOWN = [line for line in PAGE if line.text]
NAME = DOCUMENTS["cni-2018-recto"].fields[0]


@pytest.mark.parametrize(
    ("element", "lines"),
    [
        (1, (2,)),
        ((1, 2), (2, 3)),
        ((2, 1), (3, 2)),
        ("YAOUNDE", (4,)),
        ("NGO MBARGA", (2, 3)),
        ("ATANGANA", ()),
        (None, ()),
        (77, ()),
    ],
)
def test_the_segments_of_a_value(element: Element, lines: tuple[int, ...], spec: FieldSpec = NAME) -> None:
    assert lines_of(resolve(element, spec, SHOWN, numbered=True), element, SHOWN, PAGE) == lines


def test_a_value_of_the_zone_is_where_the_zone_begins() -> None:
    assert lines_of(Resolved("AB12345678", 0, box=PAGE[4].box, source="mrz"), 0, SHOWN, PAGE) == (4,)

"""Lines that were given become a page: any boxes at all, laid out without them, or one sentence."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr_frontend.documents.cards import cards_on
from ocr_frontend.documents.classify import Classifier
from ocr_frontend.documents.page import LabelledPage
from ocr_frontend.documents.registry import builtin
from ocr_frontend.errors import NoTextFound, Unprocessable
from ocr_frontend.ocr.given import Corners, GivenLine, page_of

BUILTIN = builtin()
RECTO = BUILTIN.readable["cni-2018-recto"]
CLASSIFIER = Classifier(BUILTIN)
BOX: Corners = ((10.4, 5.6), (90, 5), (90, 25), (10, 25))
NUMBERS = st.integers(-100, 100) | st.floats(-100_000, 100_000)
CORNERS = st.tuples(NUMBERS, NUMBERS)
TEXTS = st.sampled_from(["NOM/SURNAME", "PERE/FATHER", "MERE/MOTHER", "SEXE/SEX", "ABENA", "", "12.01.1990"])


def test_boxes_are_kept_in_whole_pixels_and_the_page_is_around_them() -> None:
    page = page_of([GivenLine("A", 0.5, BOX)], None)
    assert page.lines[0].box == ((10, 6), (90, 5), (90, 25), (10, 25))
    assert (page.size, page.lines[0].confidence, page.ocr_s, page.quality) == ((90, 25), 0.5, 0.0, {})
    assert page_of([GivenLine("A", 0.5, BOX)], (200, 100.4)).size == (200, 100)


def test_rows_are_as_high_as_a_label_over_its_value_wants_them() -> None:
    page = page_of([GivenLine(text, 1.0) for text in ("NOM/SURNAME", "ABENA", "SEXE/SEX", "M")], (5, 5))
    labelled = LabelledPage(RECTO, page.lines)
    assert [set(labelled.owners(row)) for row in (1, 3)] == [{"nom_surname"}, {"sex"}]
    assert page.size[1] > 90  # a size without boxes says nothing


def test_some_boxes_are_refused_and_so_is_a_page_without_text() -> None:
    with pytest.raises(Unprocessable, match="with every line, or with none"):
        page_of([GivenLine("A", 1.0, BOX), GivenLine("B", 1.0)], None)
    with pytest.raises(NoTextFound):
        page_of([GivenLine("\n", 1.0, BOX)], None)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXTS, st.tuples(CORNERS, CORNERS, CORNERS, CORNERS)), min_size=1, max_size=9))
def test_no_boxes_upset_what_looks_at_them(lines: list[tuple[str, Corners]]) -> None:
    page = page_of([GivenLine(text, 1.0, box) for text, box in [("M", BOX), *lines]], None)
    for card in cards_on(page.lines, CLASSIFIER):
        labelled = LabelledPage(RECTO, card.lines)
        assert labelled.nearest.agreement and all(
            isinstance(labelled.owners(n), frozenset) for n in range(len(card.lines))
        )

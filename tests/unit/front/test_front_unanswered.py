"""A label of a typed value beside which none was read is looked at again; only such a value gets into the page."""

import numpy as np
import pytest

from ocr_frontend.documents.classify import Classifier
from ocr_frontend.documents.registry import builtin
from ocr_frontend.documents.unanswered import UnansweredLabels
from ocr_frontend.ocr.images import Pixels
from ocr_frontend.ocr.textline import TextLine
from ocr_frontend.ocr.unanswered import Unanswered, with_answers
from tests.unit.front.pages import line

RECTO = [
    line("NOM/SURNAME", 0), line("ACHU", 1), line("PRENOMS/GIVEN NAMES", 2), line("MABEL", 3),
    line("DATE DE NAISSANCE/DATE OF BIRTH", 4), line("01.02.1990", 5), line("LIEU DE NAISSANCE/PLACE OF BIRTH", 6),
    line("YAOUNDE", 7), line("SEXE/SEX", 8), line("F", 9), line("TAILLE/HEIGHT", 10), line("1,70", 11),
    line("PROFESSION/OCCUPATION", 12), line("MENUISIER", 13),
]  # fmt: skip
FIND = UnansweredLabels(Classifier(builtin()))


class Eyes:
    """Says what stands in a part, the first time one thing and the second time another."""

    def __init__(self, *seen: list[TextLine]) -> None:
        self.seen, self.parts = list(seen), list[tuple[int, ...]]()

    def read(self, pixels: Pixels) -> list[TextLine]:
        self.parts.append(pixels.shape)
        return self.seen[min(len(self.parts), len(self.seen)) - 1]


def picture() -> Pixels:
    return np.full((1200, 1200, 3), 220, np.uint8)


def at(text: str, left: int, top: int, score: float = 0.97, size: int = 20) -> TextLine:
    box = (left, top), (left + size, top), (left + size, top + size), (left, top + size)
    return TextLine(text, score, box)


def without(*texts: str) -> list[TextLine]:
    return [each for each in RECTO if each.text not in texts]


def test_only_labels_of_values_with_a_form_that_have_none_are_found() -> None:
    assert list(map(FIND.find, (RECTO, without("MENUISIER"), without("ACHU")))) == [[], [], []]
    [found] = FIND.find(without("F"))
    lines = without("F")
    assert [lines[n].text for n in found.label] == ["SEXE/SEX"]
    assert all(map(found.holds, ("F", "M", "SEXE/SEX: M"))) and not any(map(found.holds, ("FM", "ACHU", "")))
    [found] = FIND.find(without("01.02.1990"))
    assert found.holds("01.02.1990") and not found.holds("01.02")


def test_a_field_whose_label_was_not_read_either_is_known_to_be_missing() -> None:
    [found] = FIND.find(without("SEXE/SEX", "F"))
    assert found.label == () and found.holds("M") and not found.holds("1,70")
    assert FIND.find(without("TAILLE/HEIGHT")) == FIND.find(without("SEXE/SEX")) == []


def test_a_page_that_is_no_document_is_left_alone() -> None:
    assert not FIND.find([line("TOTAL", 0), line("SEX", 1)])


def test_a_letter_that_was_passed_over_stands_behind_its_label() -> None:
    lines = without("F")
    [asked] = FIND.find(lines)
    eyes = Eyes([at("F", 30, 60)])
    found = with_answers(eyes.read, picture(), lines, FIND.find)
    assert [each.text for each in found] == [each.text for each in RECTO]
    left, top = max(0, asked.area[0]), max(0, asked.area[1])
    assert found[9].box[0] == (left + 30, top + 60)
    assert len(eyes.parts) == 1


def test_the_second_time_it_is_looked_at_larger() -> None:
    lines = without("F")
    eyes = Eyes([], [at("F", 30, 60)])
    found = with_answers(eyes.read, picture(), lines, FIND.find)
    assert "F" in [each.text for each in found]
    assert eyes.parts[1][:2] == (2 * eyes.parts[0][0], 2 * eyes.parts[0][1])


@pytest.mark.parametrize("seen", [at("ACHU", 30, 60), at("F", 30, 60, 0.5), at("", 30, 60)])
def test_nothing_but_such_a_value_that_was_well_read_is_taken(seen: TextLine) -> None:
    lines = without("F")
    assert with_answers(Eyes([seen]).read, picture(), lines, FIND.find) == lines


def test_what_was_read_well_there_is_not_replaced_and_what_was_not_is() -> None:
    for score, kept in ((0.97, True), (0.6, False)):
        lines = [at("LABEL", 10, 10), at("Fw", 100, 10, score)]
        where = Unanswered((0,), (0, 0, 200, 40), "F".__eq__)
        found = with_answers(Eyes([at("F", 100, 10)]).read, picture(), lines, lambda _, where=where: [where])
        assert [each.text for each in found] == (["LABEL", "Fw"] if kept else ["LABEL", "F"])


def test_what_was_read_well_is_painted_over_before() -> None:
    image = picture()
    image[12:28:2, 12:28] = image[12:28:2, 102:118] = 10
    lines = [at("LABEL", 10, 10), at("Fw", 100, 10, 0.6)]
    seen = list[Pixels]()
    where = Unanswered((0,), (0, 0, 200, 40), "F".__eq__)
    with_answers(lambda part: seen.append(part) or [], image, lines, lambda _: [where])  # type: ignore[func-returns-value]
    assert (seen[0][:, :60] == 220).all() and (seen[0][12:28:2, 102:118] == 10).all()
    assert (image[12:28:2, 12:28] == 10).all()

"""A value that the card breaks over lines: the answer names them all, the front joins them."""

import re

import pytest

from ocr_frontend.documents.registry import DOCUMENTS
from ocr_frontend.errors import InvalidAnswer
from ocr_frontend.extraction.resolve import NO_SUCH_LINE, resolve
from ocr_frontend.llm import answers
from ocr_frontend.llm.prompt import BUILT_IN
from ocr_frontend.ocr.reader import TextLine

LINES = [
    TextLine("MBARGA EPSE", 0.9, ((10, 20), (90, 20), (90, 30), (10, 30))),
    TextLine("NGO BIYONG", 0.7, ((12, 34), (80, 34), (80, 44), (12, 44))),
]
FATHER = next(field for field in DOCUMENTS["cni-2018-verso"].fields if field.name == "pere_father")


def test_the_lines_are_joined_in_the_order_of_the_answer() -> None:
    found = resolve((1, 0), FATHER, LINES, numbered=True)
    assert found.value == "NGO BIYONG MBARGA EPSE"


def test_the_joined_value_is_as_sure_as_its_least_sure_line_and_has_a_box_around_all() -> None:
    found = resolve((0, 1), FATHER, LINES, numbered=True)
    assert (found.score, found.line) == (0.7, 0)
    assert found.box == ((10, 20), (90, 20), (90, 44), (10, 44))


def test_a_line_that_does_not_exist_gives_no_value() -> None:
    found = resolve((0, 2), FATHER, LINES, numbered=True)
    assert found.value is None
    assert found.warnings == (NO_SUCH_LINE,)


def test_in_a_model_without_line_numbers_a_list_is_no_value() -> None:
    assert resolve((0, 1), FATHER, LINES, numbered=False).value is None


@pytest.mark.parametrize("element", ["[0,1]", "[1,0]", "[0,1,1]"])
def test_the_grammar_and_the_parser_agree_on_joined_lines(lines_contract: answers.Contract, element: str) -> None:
    fields = ["a", "b"]
    text = f"[{element},null]"
    assert re.fullmatch(answers.constraint(lines_contract, fields, "cni-2018-verso", 2), text)
    assert answers.parse(text, lines_contract, fields)["b"] is None


@pytest.mark.parametrize("element", ["[]", "[0,1,0,1]", "[true]", '["x"]', "[[0]]"])
def test_other_lists_are_refused(lines_contract: answers.Contract, element: str) -> None:
    with pytest.raises(InvalidAnswer):
        answers.parse(f"[{element},null]", lines_contract, ["a", "b"])


@pytest.fixture
def lines_contract() -> answers.Contract:
    return BUILT_IN.model_copy(update={"answer": "lines"})

"""A value that goes on below takes the line under it, and no other."""

import math

import pytest

from ocr_frontend.extraction.continuation import continuation, with_continuations, with_own_parts
from ocr_frontend.llm.answers import Element
from ocr_frontend.ocr.reader import Box, TextLine

HEIGHT = 20.0


def _line(text: str, left: float, top: float, width: float = 200, height: float = HEIGHT) -> TextLine:
    return TextLine(text, 0.9, ((left, top), (left + width, top), (left + width, top + height), (left, top + height)))


def _turned(line: TextLine, degrees: float) -> TextLine:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    a, b, c, d = ((x * cos - y * sin, x * sin + y * cos) for x, y in line.box)
    box: Box = (a, b, c, d)
    return TextLine(line.text, line.confidence, box)


VALUE = _line("MBARGA EPSE", 100, 100)


@pytest.mark.parametrize("degrees", [0, 12, -12, 90, 180])
def test_the_line_right_below_goes_on_however_the_card_is_turned(degrees: float) -> None:
    lines = [_turned(line, degrees) for line in (VALUE, _line("NGO BIYONG", 102, 124), _line("DOUALA", 100, 400))]
    assert continuation(0, lines, {0}) == 1


@pytest.mark.parametrize(
    "other",
    [
        _line("LIEU DE NAISSANCE", 100, 124),
        _line("DATEDENAISSANCE/DATEOFBIRTH", 100, 124),
        _line("SPECIMEN", 100, 124),
        _line("01.02.1990", 100, 124),
        _line("A7", 100, 124),
        _line("NGO BIYONG", 140, 124),
        _line("NGO BIYONG", 100, 150),
        _line("NGO BIYONG", 100, 76),
        _line("NGO BIYONG", 100, 124, height=40),
    ],
    ids=["label", "damaged label", "background", "date", "short", "aside", "far", "above", "larger"],
)
def test_anything_else_does_not(other: TextLine) -> None:
    assert continuation(0, [VALUE, other], {0}) is None


def test_another_fields_line_is_left_to_it() -> None:
    lines = [VALUE, _line("NGO BIYONG", 100, 124)]
    assert continuation(0, lines, {0, 1}) is None


def test_a_line_without_extent_has_nothing_below() -> None:
    assert continuation(0, [_line("A", 0, 0, 0, 0), VALUE], set()) is None


def test_only_line_numbers_of_text_fields_are_continued() -> None:
    lines = [VALUE, _line("NGO BIYONG", 100, 124), _line("M", 400, 100), _line("PIERRE", 400, 124)]
    given = {"name": 0, "sex": 2, "written": "MBARGA", "none": None, "beyond": 9}
    found = with_continuations(given, {"name", "written", "none", "beyond"}, lines)
    assert found == {**given, "name": (0, 1)}


NAMES = [VALUE, _line("LAURENCE", 100, 200), _line("SOULEYMANE", 101, 224), _line("DOUALA", 400, 224)]
FIELDS = {"name", "given", "place"}


def test_a_part_goes_to_the_value_that_it_stands_under() -> None:
    assert with_own_parts({"name": (0, 2), "given": 1}, FIELDS, NAMES) == {"name": 0, "given": (1, 2)}


@pytest.mark.parametrize(
    "kept",
    [
        {"name": 0, "given": (1, 2)},  # where it belongs
        {"name": (0, 2), "given": None},  # nobody else's
        {"name": (0, 3), "given": 1},  # under nothing
        {"name": (0, 2), "given": (1, 3)},  # the other is of two parts already
        {"name": (0, 2), "number": 1},  # the other is no text
        {"name": (0, 9), "given": 1},  # no such line
    ],
)
def test_else_parts_stay(kept: dict[str, Element]) -> None:
    assert with_own_parts(kept, FIELDS, NAMES) == kept

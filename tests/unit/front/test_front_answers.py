"""The form of an answer, its reading back, and what it resolves to."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_frontend.documents.registry import DOCUMENTS, FieldSpec, Kind, record_model
from ocr_frontend.errors import InvalidAnswer
from ocr_frontend.extraction.resolve import (
    NO_SUCH_LINE,
    NO_VALUE,
    NOT_IN_TEXT,
    NOT_OF_FORM,
    REPAIRED,
    Resolved,
    resolve,
)
from ocr_frontend.llm.answers import MAX_STRING, constraint, parse, token_limit
from ocr_frontend.llm.prompt import BUILT_IN, Contract
from ocr_frontend.ocr.reader import TextLine

RECTO = DOCUMENTS["cni-2018-recto"]
LINES = Contract(answer="lines", line="{text} {index}\n", suffix="", documents={})
elements = st.none() | st.integers(0, 17) | st.text(st.characters(codec="utf-8", min_codepoint=32), max_size=20)


def line(text: str, index: int = 0) -> TextLine:
    return TextLine(text, 0.9, ((0, index), (9, index), (9, 9), (0, 9)))


@given(st.lists(elements, min_size=7, max_size=7))
def test_lines_answers_fit_their_form_and_come_back(answer: list[int | str | None]) -> None:
    text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    form = constraint(LINES, RECTO.keys, RECTO.name, 18)
    assert re.fullmatch(form, text)
    assert parse(text, LINES, RECTO.keys) == dict(zip(RECTO.keys, answer, strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "[1,2,3,4,5,6]",
        "[1,2,3,4,5,6,7,8]",
        "[1, 2,3,4,5,6,7]",
        "[1,2,3,4,5,6,18]",
        "[1,2,3,4,5,6,007]",
        "[1,2,3,4,5,6,-1]",
        '[1,2,3,4,5,6,"a"b"]',
        "[1,2,3,4,5,6,true]",
        "[1,2,3,4,5,6,1.5]",
    ],
)
def test_what_the_form_excludes(text: str) -> None:
    assert not re.fullmatch(constraint(LINES, RECTO.keys, RECTO.name, 18), text)


def test_a_value_that_runs_on_is_no_value() -> None:
    def answer(length: int) -> str:
        return json.dumps([1, 2, 3, 4, 5, 6, "a" * length], separators=(",", ":"))

    assert parse(answer(MAX_STRING), LINES, RECTO.keys)["profession"] == "a" * MAX_STRING
    with pytest.raises(InvalidAnswer, match="80 characters"):
        parse(answer(MAX_STRING + 1), LINES, RECTO.keys)


def test_no_form_counts_characters() -> None:
    """A counted repetition makes the server's grammar slower than the model (docs/lab-notes.md, "Fewer steps")."""
    forms = [constraint(LINES, RECTO.keys, RECTO.name, 18)]
    forms += [constraint(BUILT_IN, document.keys, name, 18) for name, document in DOCUMENTS.items()]
    counts = [int(most) for form in forms for most in re.findall(r"\{\d+,(\d+)\}", form)]
    assert max(counts) <= 2


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize("document", DOCUMENTS)
def test_object_answers_fit_their_form(document: str, separators: tuple[str, str]) -> None:
    values = {Kind.SEX: "F", Kind.HEIGHT: 1.75}
    specs = DOCUMENTS[document].fields
    for answer in ({s.name: values.get(s.kind, 'É"x') for s in specs}, dict.fromkeys(DOCUMENTS[document].keys)):
        text = json.dumps(answer, ensure_ascii=False, separators=separators)
        assert re.fullmatch(constraint(BUILT_IN, tuple(answer), document, 3), text)
        assert parse(text, BUILT_IN, tuple(answer)) == answer


@given(st.text() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_any_answer_is_read_or_refused(text: str) -> None:
    for contract in (LINES, BUILT_IN):
        try:
            parsed = parse(text, contract, RECTO.keys)
        except InvalidAnswer as error:
            # A traceback never shows the parser's error, which holds the text.
            assert error.__suppress_context__ or error.__context__ is None
        else:
            assert set(parsed) == set(RECTO.keys)


@pytest.mark.parametrize("lines", range(1, 101))
def test_only_numbers_of_lines_that_are_there(lines: int) -> None:
    form = constraint(LINES, ("nom",), RECTO.name, lines)
    for number in range(130):
        assert bool(re.fullmatch(form, f"[{number}]")) == (number < lines)
        assert bool(re.fullmatch(form, f"[[0,{number}]]")) == (number < lines)


def test_room_for_an_answer() -> None:
    assert token_limit(LINES, RECTO.keys, 512) == 200
    assert token_limit(BUILT_IN, RECTO.keys, 128) == 128


def test_a_number_is_a_line() -> None:
    lines = [line("NOM"), line("NGO MBARGA", 1), line("F 1,66m", 2), line("1234S6789", 3), line("12.03.201", 4)]
    name, height, sex = FieldSpec("nom"), FieldSpec("taille", Kind.HEIGHT), FieldSpec("sex", Kind.SEX)
    number, date = FieldSpec("n", Kind.DIGITS, 9), FieldSpec("d", Kind.DATE)
    assert resolve(1, name, lines, numbered=True) == Resolved("NGO MBARGA", 1, 0.9, lines[1].box)
    assert resolve(2, height, lines, numbered=True).value == 1.66
    assert resolve(2, sex, lines, numbered=True).value == "F"
    assert resolve(3, number, lines, numbered=True) == Resolved("123456789", 3, 0.9, lines[3].box, (REPAIRED,))
    assert resolve(4, date, lines, numbered=True) == Resolved("12.03.201", 4, 0.9, lines[4].box, (NOT_OF_FORM,))
    assert resolve(0, height, lines, numbered=True) == Resolved(None, 0, None, lines[0].box, (NO_VALUE,))
    for index in (5, -1, 10**30):
        assert resolve(index, name, lines, numbered=True) == Resolved(warnings=(NO_SUCH_LINE,))


def test_a_written_value_is_looked_for() -> None:
    lines = [
        line("NOM/SURNAME NGO MBARGA"),
        line("M 1,66 m", 1),
        line("MARTIN", 2),
        line("MBAR", 3),
        line("GA NKOT", 4),
    ]
    name, sex, height = FieldSpec("nom"), FieldSpec("sex", Kind.SEX), FieldSpec("taille", Kind.HEIGHT)
    assert resolve("NGO MBARGA", name, lines, numbered=True) == Resolved("NGO MBARGA", 0, None, lines[0].box)
    assert resolve("M", sex, lines, numbered=True).line == 1
    assert resolve(1.66, height, lines, numbered=False) == Resolved(1.66, 1, None, lines[1].box)
    assert resolve("1.66", height, lines, numbered=True).line == 1
    assert resolve("MBAR GA", name, lines, numbered=True).line == 3  # over two lines
    assert resolve("KAMGA", name, lines, numbered=True) == Resolved("KAMGA", warnings=(NOT_IN_TEXT,), source="model")
    assert resolve("nobody", sex, lines, numbered=True) == Resolved(warnings=(NO_VALUE,))
    assert resolve("", name, lines, numbered=True) == resolve(None, name, lines, numbered=True) == Resolved()


def test_numbers_of_object_answers_are_values() -> None:
    digits = FieldSpec("n", Kind.DIGITS, 9)
    assert resolve(123456789, digits, [line("123456789")], numbered=False).line == 0
    assert resolve(2, FieldSpec("taille", Kind.HEIGHT), [], numbered=False) == Resolved(warnings=(NO_VALUE,))


@given(st.data())
def test_whatever_is_resolved_fits_the_record(data: st.DataObject) -> None:
    lines = [line(text) for text in data.draw(st.lists(st.text(max_size=30), max_size=5))]
    joined = st.lists(st.integers(-1, 6), min_size=1, max_size=3).map(tuple)
    anything = st.none() | st.integers() | st.floats() | st.text(max_size=30) | joined
    for document in DOCUMENTS.values():
        numbered = data.draw(st.booleans())
        record = {
            spec.name: resolve(data.draw(anything), spec, lines, numbered=numbered).value for spec in document.fields
        }
        assert record_model(document.name).model_validate(record).model_dump() == record


def test_a_short_value_inside_another_word_is_not_read() -> None:
    lines = [line("BELABO MOBIL"), line("PRENOMS", 1)]
    for text, spec in (("M", FieldSpec("sex", Kind.SEX)), ("ELA", FieldSpec("nom_surname"))):
        found = resolve(text, spec, lines, numbered=True)
        assert (found.value, found.box, found.source) == (text, None, "model") and NOT_IN_TEXT in found.warnings


def test_a_written_value_over_two_lines_has_the_box_of_both() -> None:
    found = resolve("NGO BELL MARIE", FieldSpec("nom_surname"), [line("X"), line("NGO BELL", 1), line("MARIE", 3)],
                    numbered=True)  # fmt: skip
    assert found.line == 1 and found.box is not None and found.warnings == () and found.source == "ocr"


@given(elements, st.lists(st.text(max_size=12), max_size=6), st.sampled_from(RECTO.fields))
def test_every_value_has_a_box_or_says_that_it_was_read_nowhere(
    element: int | str | None, texts: list[str], spec: FieldSpec
) -> None:
    found = resolve(element, spec, [line(text, place) for place, text in enumerate(texts)], numbered=True)
    if found.value is not None:
        assert (found.box is None) == (found.source == "model") == (NOT_IN_TEXT in found.warnings)

"""The form of an answer, and its reading back."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_frontend.documents.registry import builtin
from ocr_frontend.documents.types.text import MAX_CHARACTERS
from ocr_frontend.errors import InvalidAnswer
from ocr_frontend.llm.answers import MAX_JOINED, constraint, parse, parse_part, token_limit, whole_part
from ocr_frontend.llm.contract import Contract, DocumentPrompt, built_in
from tests.unit.front.pages import spec

RECTO = spec("cni-2018-recto")
PROMPT = DocumentPrompt(prefix="", fields=RECTO.keys)
LINES = Contract(answer="lines", line="{text} {index}\n", suffix="", documents={RECTO.name: PROMPT})
OBJECT = built_in(builtin())
elements = st.none() | st.integers(0, 17) | st.text(st.characters(codec="utf-8", min_codepoint=32), max_size=20)


@given(st.lists(elements, min_size=7, max_size=7))
def test_lines_answers_fit_their_form_and_come_back(answer: list[int | str | None]) -> None:
    text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    assert re.fullmatch(constraint(LINES, PROMPT, RECTO, 18), text)
    assert parse(text, LINES, PROMPT) == dict(zip(RECTO.keys, answer, strict=True))


@given(st.lists(elements, min_size=7, max_size=7), st.booleans(), st.data())
def test_of_a_cut_answer_the_whole_elements_count(
    answer: list[int | str | None], keyed: bool, data: st.DataObject
) -> None:
    whole = dict(zip(RECTO.keys, answer, strict=True)) if keyed else answer
    contract = OBJECT if keyed else LINES
    text = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
    text = text[: data.draw(st.integers(0, len(text) - 1))]
    prompt = OBJECT.of(RECTO.name) if keyed else PROMPT
    if not text:
        with pytest.raises(InvalidAnswer):
            whole_part(text, contract)
        return
    part = whole_part(text, contract)
    found, cut = parse_part(part, contract, prompt)
    come_to = [key for key in RECTO.keys if key not in cut]
    assert come_to == list(RECTO.keys)[: len(come_to)] and cut
    # An element counts from the comma behind it on.
    ends = [
        len(
            json.dumps(
                dict(list(whole.items())[:n]) if keyed else answer[:n], ensure_ascii=False, separators=(",", ":")
            )
        )
        for n in range(1, 7)
    ]
    assert len(come_to) >= sum(len(text) >= end for end in ends)
    said = {
        key: str(value) if keyed and isinstance(value, int) else value
        for key, value in zip(RECTO.keys, answer, strict=True)
    }
    assert {key: found[key] for key in come_to} == {key: said[key] for key in come_to}
    assert all(found[key] is None for key in cut)


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
    assert not re.fullmatch(constraint(LINES, PROMPT, RECTO, 18), text)


@pytest.mark.parametrize("document", builtin().readable)
def test_object_answers_are_compact_and_come_back(document: str) -> None:
    known = spec(document)
    prompt = OBJECT.of(document)
    samples = {"choice": "F", "length": 1.75}
    for answer in ({f.key: samples.get(f.type.name, 'É"x') for f in known.fields}, dict.fromkeys(known.keys)):
        form = constraint(OBJECT, prompt, known, 3)
        compact = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
        assert re.fullmatch(form, compact)
        assert not re.fullmatch(form, json.dumps(answer, ensure_ascii=False)), "white space that a model may spin in"
        read = {key: None if value is None else str(value) for key, value in answer.items()}
        assert parse(compact, OBJECT, prompt) == read
        assert parse(f"<think>\nhm {{}}\n</think>\n\n{compact}", OBJECT, prompt) == read


@given(st.text() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_any_answer_is_read_or_refused(text: str) -> None:
    for contract in (LINES, OBJECT):
        try:
            parsed = parse(text, contract, PROMPT)
        except InvalidAnswer as error:
            # A traceback never shows the parser's error, which holds the text.
            assert error.__suppress_context__ or error.__context__ is None
        else:
            assert set(parsed) == set(RECTO.keys)


@pytest.mark.parametrize("lines", [*range(1, 125), 199, 200, 201, 999, 1000])
def test_only_numbers_of_lines_that_are_there(lines: int) -> None:
    prompt = DocumentPrompt(prefix="", fields=("nom_surname",))
    form = constraint(LINES, prompt, RECTO, lines)
    for number in (*range(130), 198, 199, 200, 201, 998, 999, 1000):
        assert bool(re.fullmatch(form, f"[{number}]")) == (number < lines)
        assert bool(re.fullmatch(form, f"[[0,{number}]]")) == (number < lines)


@pytest.mark.parametrize("element", ["[]", "[" + ",".join("0" * (MAX_JOINED + 1)) + "]", "[true]", '["x"]', "[[0]]"])
def test_other_lists_are_refused(element: str) -> None:
    with pytest.raises(InvalidAnswer):
        parse(f"[{element},null]", LINES, DocumentPrompt(prefix="", fields=("a", "b")))


def test_a_value_that_does_not_end_is_refused() -> None:
    """The grammar counts no characters, which would cost more than the model."""
    with pytest.raises(InvalidAnswer, match="does not end"):
        parse('["' + "a" * (5 * MAX_CHARACTERS) + '",null]', LINES, DocumentPrompt(prefix="", fields=("a", "b")))


def test_a_list_in_an_object_is_one_text() -> None:
    prompt = DocumentPrompt(prefix="", fields=("a", "b"))
    assert parse('{"a":["NO 1","JALAN X"],"b":7}', OBJECT, prompt) == {"a": "NO 1 JALAN X", "b": "7"}


def test_room_for_an_answer() -> None:
    assert token_limit(LINES, PROMPT, 512) == 200
    assert token_limit(OBJECT, PROMPT, 128) == 128
    assert token_limit(LINES.model_copy(update={"max_tokens": 33}), PROMPT, 512) == 33

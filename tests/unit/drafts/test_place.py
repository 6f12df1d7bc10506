"""Where an unfinished answer stands."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.drafts.place import Place, locate


@pytest.mark.parametrize(
    ("answer", "place"),
    [
        ("[", Place("0", "value", spaced=False)),
        ("[1", Place("0", "bare", "1", spaced=False)),
        ("[1,", Place("1", "value", spaced=False)),
        ("[1,[2", Place("1", "list", "2", spaced=False)),
        ("[1,[2,", Place("1", "list", "2,", spaced=False)),
        ("[1,[2,3]", Place("1", "end", "2,3", spaced=False)),
        ('[1,"a, b', Place("1", "text", "a, b", spaced=False)),
        ('[1,"a\\"', Place("1", "text", 'a\\"', spaced=False)),
        ('[1,"a"', Place("1", "end", spaced=False)),
        ("{", Place("", "key", ready=True)),
        ('{"a"', Place("a", "colon")),
        ('{"a":', Place("a", "value", spaced=True)),
        ('{"a": ', Place("a", "value", ready=True)),
        ('{"a": "x', Place("a", "text", "x")),
        ('{"a": "x",', Place("a", "key")),
        ('{"a": 1, ', Place("a", "key", ready=True)),
        ('{"a":1,"b":', Place("b", "value", spaced=False)),
        ('{"a": nul', Place("a", "bare", "nul")),
    ],
)
def test_places(answer: str, place: Place) -> None:
    assert locate(answer) == place


@pytest.mark.parametrize("answer", ["", "text", "[1]", '{"a": 1}', '{"a": {"b"', '{"a', "[[[", "]", '{"a" "b"'])
def test_what_is_no_place(answer: str) -> None:
    assert locate(answer) is None


values = st.none() | st.integers() | st.text()


@given(st.lists(values, max_size=5) | st.dictionaries(st.text(), values, max_size=5), st.booleans(), st.data())
def test_every_beginning_of_an_answer_has_a_place_or_none(answer: object, spaced: bool, data: st.DataObject) -> None:
    separators = (", ", ": ") if spaced else (",", ":")
    text = json.dumps(answer, ensure_ascii=data.draw(st.booleans()), separators=separators)
    begun = text[: data.draw(st.integers(0, len(text)))]
    place = locate(begun)
    assert place is None or place.kind in {"key", "colon", "value", "text", "bare", "list", "end"}
    if place is not None and place.kind == "text":
        assert begun.endswith(f'"{place.written}')


@given(st.text())
def test_any_text_is_looked_at_without_an_error(text: str) -> None:
    locate(text)

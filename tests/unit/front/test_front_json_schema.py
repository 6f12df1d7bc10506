"""JSON schemas as regular expressions: compact, in order, and nothing left out in silence."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_frontend.documents.registry import builtin
from ocr_frontend.llm.json_schema import SchemaError, regex


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "card",
    "properties": {
        "autorité": {"type": ["string", "null"], "maxLength": 9},
        "sex": {"enum": ["M", "F", None]},
        "born": {"type": "string", "pattern": r"^\d{2}\.\d{2}\.\d{4}$"},
        "height": {"anyOf": [{"type": "number"}, {"type": "null"}]},
        "lines": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3},
        "ok": {"type": "boolean"},
        "more": {"type": "object", "properties": {"n": {"type": "integer"}}},
    },
}
GOOD = {
    "autorité": "MARTIN", "sex": "F", "born": "01.02.1990", "height": 1.75, "lines": ["a", "b"], "ok": True,
    "more": {"n": -3},
}  # fmt: skip


def test_what_fits() -> None:
    assert re.fullmatch(regex(SCHEMA), compact(GOOD))
    assert re.fullmatch(regex(SCHEMA), compact({**GOOD, "autorité": None, "sex": None, "height": None, "lines": ["x"]}))


@pytest.mark.parametrize(
    "change",
    [{"autorité": "too long a text"}, {"sex": "X"}, {"born": "1.2.90"}, {"lines": []}, {"lines": ["x"] * 4},
     {"ok": "yes"}, {"more": {"n": 1.5}}, {"height": "1.75"}],
)  # fmt: skip
def test_what_does_not(change: dict[str, object]) -> None:
    assert not re.fullmatch(regex(SCHEMA), compact({**GOOD, **change}))


def test_no_white_space_and_no_other_order() -> None:
    assert not re.fullmatch(regex(SCHEMA), json.dumps(GOOD, ensure_ascii=False))
    assert not re.fullmatch(regex(SCHEMA), compact(dict(reversed(GOOD.items()))))


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        ({"type": "string", "not": {}}, "'not'"),
        ({"type": "object", "properties": {"a": {"type": "string", "contentEncoding": "x"}}}, "'contentEncoding'"),
        ({"type": "object"}, "properties"),
        ({"$ref": "#"}, "type"),
        ({"type": "string", "pattern": "(?=x)"}, "pattern"),
        ({"type": "array", "items": {}, "properties": {}}, "'properties'"),
    ],
)
def test_what_is_not_supported_is_named(schema: dict[str, Any], word: str) -> None:
    with pytest.raises(SchemaError, match=word):
        regex(schema)


@pytest.mark.parametrize("name", builtin().readable)
def test_the_schema_of_every_document_can_be_a_grammar(name: str) -> None:
    known = builtin().readable[name]
    assert re.fullmatch(regex(known.json_schema()), compact(dict.fromkeys(known.keys)))


@given(st.text(st.characters(codec="utf-8", min_codepoint=32), max_size=40))
def test_every_text_is_a_string(text: str) -> None:
    assert re.fullmatch(regex({"type": "string"}), compact(text)) or len(compact(text)) > 82 or "\\u" in compact(text)

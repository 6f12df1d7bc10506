"""Constraints that callers send: what cannot be obeyed is named, what nothing satisfies is refused, the rest runs."""

import datetime
import enum
import json
import sys
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from server.errors import BadRequest
from server.structured.check import check_body, check_constraint
from server.structured.errors import Unusable
from server.structured.productive import check_ends


def refused(kind: str, value: Any) -> str:
    """The sentence, empty where it may be used."""
    try:
        check_constraint(kind, value)
    except Unusable as error:
        return error.sentence
    return ""


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("grammar", "root ::= root"),
        ("regex", r"[^\s\S]"),
        ("json", {"$ref": "#"}),
        ("json", {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}),
        ("json", {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}),
        ("json", {"type": "string", "pattern": r"[^\s\S]"}),
        ("json", {"type": "integer", "minimum": 5, "maximum": 3}),
        ("json", False),
        ("json", {"enum": []}),
    ],
)
def test_what_nothing_satisfies_never_reaches_the_engine(kind: str, value: Any) -> None:
    assert "nothing satisfies it" in refused(kind, value)


def test_a_way_that_never_ends_is_refused_too() -> None:
    assert "never end" in refused("grammar", 'root ::= "a" | "b" dead\ndead ::= "c" dead')
    assert "never end" in refused("regex", r"(a|[^\s\S])b?")


@pytest.mark.parametrize(
    ("keyword", "schema"),
    [
        ("not", {"not": {"type": "string"}}),
        ("if", {"if": {}, "then": {}}),
        ("dependentRequired", {"type": "object", "dependentRequired": {"a": ["b"]}}),
        ("$ref", {"$ref": "https://example.org/schema.json"}),
        ("$ref", {"$ref": "#/$defs/gone"}),
        ("multipleOf", {"type": "integer", "multipleOf": 3}),
        ("allOf", {"allOf": [{"type": "string"}, {"enum": ["a"]}]}),
        ("uniqueItems", {"type": "array", "items": {"type": "string"}, "uniqueItems": True}),
        ("format", {"type": "string", "format": "phone"}),
        ("pattern", {"type": "string", "pattern": r"\p{L}+"}),
        ("pattern", {"pattern": "a+"}),
        ("maxLength", {"maxLength": 3}),
        ("minimum", {"minimum": 3}),
        ("required", {"type": "object", "properties": {"a": {}}, "required": ["b"]}),
        ("anyOf", {"anyOf": [{}], "properties": {"a": {}}}),
        ("type", {"type": "strin"}),
        ("maxLength", {"type": "string", "pattern": "a", "maxLength": 3}),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_a_keyword_that_would_not_be_obeyed_is_named(keyword: str, schema: dict[str, Any], inside: bool) -> None:
    if inside and schema.get("$ref") != "#/$defs/gone":
        schema = {"type": "object", "properties": {"x": {"type": "array", "items": schema}}}
    assert f"'{keyword}'" in refused("json", schema)


class Colour(enum.Enum):
    RED = "red"


class Card(BaseModel):
    """What people write with pydantic."""

    authority: str | None = Field(alias="autorité")
    sexe: Literal["F", "M"]
    born: datetime.date = Field(alias="né_le")
    colour: Colour = Colour.RED
    parts: list["Card"] = []
    sizes: dict[str, float]
    pair: tuple[int, str]
    either: int | bool


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("json", Card.model_json_schema()),
        ("json", json.dumps(Card.model_json_schema())),
        ("json", {"type": ["string", "null"], "maxLength": 3}),
        ("json", {"type": "object", "properties": {"not": {"type": "null"}, "a": {"enum": [{"if": 1}]}}}),
        ("json", {"properties": {"a": {"$ref": "#"}}}),
        ("json", {}),
        ("regex", r"[0-9]{2}\.[0-9]{2}\.(19|20)[0-9]{2}"),
        ("grammar", 'root ::= root "a" | "a"'),
        ("choice", ["yes", "no"]),
        ("json_object", True),
    ],
)
def test_what_works_is_let_through(kind: str, value: Any) -> None:
    assert refused(kind, value) == ""


def test_the_body_says_where() -> None:
    for body, where in (
        ({"structured_outputs": {"regex": "("}}, "structured_outputs.regex: "),
        ({"response_format": {"type": "json_schema", "json_schema": {"schema": {"not": {}}}}}, "response_format: "),
        ({"response_format": {"type": "json_schema"}}, "response_format: "),
    ):
        with pytest.raises(BadRequest) as error:
            check_body(body)
        assert error.value.message.startswith(where) and error.value.param == where.partition(".")[0].rstrip(": ")
    check_body({"structured_outputs": None, "response_format": {"type": "text"}})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["type", "properties", "items", "anyOf", "allOf", "$ref", "$defs", "required", "pattern"]
                )
                | st.sampled_from(
                    ["enum", "const", "minLength", "format", "patternProperties", "additionalProperties"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_schema_makes_the_check_fail_and_no_sentence_holds_its_content(schema: Any) -> None:
    marked = json.loads(json.dumps(schema).replace('"a', '"MBARGA'))
    assert "MBARGA" not in refused("json", marked)


@given(st.text(alphabet="ab()[]|*+?{}^$\\.,:=\"' \n01", max_size=25))
def test_no_text_makes_the_check_fail(text: str) -> None:
    for kind in ("regex", "grammar"):
        refused(kind, text)
    if "xgrammar" in sys.modules:
        try:
            check_ends(text)
        except Unusable:
            return

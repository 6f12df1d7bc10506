"""A regular expression of the compact JSON that a schema allows: one line, keys in the schema's order, no blanks.

For what extraction needs: objects of fixed keys, texts, numbers, enumerations, null, arrays, and alternatives of these.
Where a schema says more than that, SchemaError names the keyword: nothing is left out in silence.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ocr_frontend.documents.types.text import CHARACTER, STRING

_NOTES = {"title", "description", "examples", "default", "$schema", "$id", "$comment", "deprecated"}
_KNOWN: dict[str, set[str]] = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems", "maxItems"},
    "string": {"pattern", "minLength", "maxLength", "format"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
    "integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
    "boolean": set(),
    "null": set(),
}
_MOST_ITEMS, _DEEPEST = 16, 6
_UNSAFE = re.compile(r"\\[bBAZzkpPuUxdDwWsSnrtfv0-9]|\(\?")


Writer = Callable[[Mapping[str, Any], int], str]


class SchemaError(ValueError):
    """One sentence that names the keyword."""


def regex(schema: Mapping[str, Any], depth: int = 0) -> str:
    """Raises SchemaError."""
    if depth > _DEEPEST:
        raise SchemaError(f"A schema may be {_DEEPEST} levels deep.")
    if "enum" in schema or "const" in schema:
        values = schema["enum"] if "enum" in schema else [schema["const"]]
        return "|".join(re.escape(json.dumps(value, ensure_ascii=False, separators=(",", ":"))) for value in values)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return "|".join(f"(?:{regex(each, depth + 1)})" for each in schema[word])
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return "|".join(f"(?:{regex({**schema, 'type': kind}, depth + 1)})" for kind in kinds)
    if kinds not in _KNOWN:
        raise SchemaError("Every part of a schema needs a type, an enum, a const or anyOf.")
    if schema.get("type") not in ("null", "boolean"):
        _check(schema, kinds)
    return _WRITERS[kinds](schema, depth)


def _check(schema: Mapping[str, Any], kind: str) -> None:
    every = set().union(*_KNOWN.values())
    for word in schema.keys() - _NOTES - {"type"}:
        if word not in every:
            raise SchemaError(f"The schema's keyword {word!r} is not supported.")
        if word not in _KNOWN[kind] and isinstance(schema.get("type"), str) and kind in ("object", "array"):
            raise SchemaError(f"The schema's keyword {word!r} does not go with the type {kind!r}.")


def _object(schema: Mapping[str, Any], depth: int) -> str:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties:
        raise SchemaError("An object needs its properties.")
    members = (
        f"{re.escape(json.dumps(key, ensure_ascii=False))}:(?:{regex(each, depth + 1)})"
        for key, each in properties.items()
    )
    return r"\{" + ",".join(members) + r"\}"


def _array(schema: Mapping[str, Any], depth: int) -> str:
    least, most = schema.get("minItems", 0), min(schema.get("maxItems", _MOST_ITEMS), _MOST_ITEMS)
    item = f"(?:{regex(schema.get('items', {'type': 'string'}), depth + 1)})"
    if most < 1:
        return r"\[\]"
    rest = rf"{item}(?:,{item}){{{max(0, least - 1)},{most - 1}}}"
    return rf"\[{rest}\]" if least else rf"\[(?:{rest})?\]"


def _string(schema: Mapping[str, Any], _: int) -> str:
    pattern = schema.get("pattern")
    if pattern is None:
        least, most = schema.get("minLength", 0), schema.get("maxLength", "")
        return f'"{CHARACTER}{{{least},{most}}}"' if least or most != "" else STRING
    inner = _digits(str(pattern).removeprefix("^").removesuffix("$"))
    if _UNSAFE.search(inner) or '"' in inner:
        raise SchemaError("A pattern may hold characters, classes, groups and repetitions, \\d and \\w.")
    return f'"(?:{inner})"'


def _digits(pattern: str) -> str:
    return pattern.replace("\\d", "[0-9]").replace("\\w", "[A-Za-z0-9_]").replace("\\.", "[.]")


def _number(_: Mapping[str, Any], __: int) -> str:
    return r"-?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,6})?"


def _integer(_: Mapping[str, Any], __: int) -> str:
    return r"-?(?:0|[1-9][0-9]{0,15})"


def _word(word: str) -> Writer:
    return lambda _, __: word


_WRITERS: dict[str, Writer] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "number": _number,
    "integer": _integer,
    "boolean": _word("true|false"),
    "null": _word("null"),
}

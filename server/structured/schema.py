"""JSON schemas: every keyword that the engine's grammars would leave out or get wrong is refused by its name.

xgrammar ignores what it does not know, with a warning in a log that the caller never sees: an answer would break the
schema with a 200. What it knows was tried with 0.2 (tests/unit/server/test_structured_schema.py).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from server.structured.errors import Unusable

# Formats of a string that the engine's grammars know.
FORMATS = frozenset(
    {
        *("email", "date", "time", "date-time", "duration", "ipv4", "ipv6", "hostname", "uuid", "uri"),
        *("uri-reference", "uri-template", "json-pointer", "relative-json-pointer"),
    }
)
_UNKNOWN = (
    *("not", "if", "then", "else", "dependentRequired", "dependentSchemas", "dependencies", "multipleOf"),
    *("uniqueItems", "contains", "minContains", "maxContains", "$dynamicRef", "$recursiveRef", "$anchor"),
    *("unevaluatedItems", "contentEncoding", "contentSchema"),
)
# Keywords that say nothing about other types: the engine obeys them only where the type is said.
_OF_TYPE: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("pattern", "minLength", "maxLength", "format"), ("string",)),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), ("integer", "number")),
    **dict.fromkeys(("minItems", "maxItems"), ("array",)),
    **dict.fromkeys(("required", "minProperties", "maxProperties", "propertyNames"), ("object",)),
}
# A type may be left out where one of these says it.
_SAYS_TYPE = {"array": ("items", "prefixItems"), "object": ("properties", "additionalProperties", "patternProperties")}
# Beside these the engine forgets everything else.
_ALONE = ("$ref", "anyOf", "oneOf", "allOf")
_VALIDATING = frozenset(
    {*_OF_TYPE, *_ALONE, "properties", "items", "prefixItems", "additionalProperties", "enum", "const"}
)
_ONE = ("items", "additionalProperties", "propertyNames", "unevaluatedProperties")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAPS = ("properties", "patternProperties", "$defs", "definitions")


def check_schema(schema: Any) -> list[str]:
    """Raise Unusable for what would not be obeyed; the regular expressions of the schema, which remain to be tried."""
    if not isinstance(schema, dict | bool):
        raise Unusable("must be a JSON schema: an object.")
    patterns: list[str] = []
    for part in _parts(schema):
        _check(part)
        if isinstance(part.get("$ref"), str):
            _check_reference(schema, part["$ref"])
        patterns += _patterns(part)
    return patterns


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    """The schema and all schemas in it; names of properties and values of enums are none."""
    left = [schema]
    while left:
        part = left.pop()
        if not isinstance(part, dict):
            continue
        yield part
        left += [part[name] for name in _ONE if name in part]
        for name in _LISTS:
            left += _kind(part, name, list)
        for name in _MAPS:
            left += _kind(part, name, dict).values()


def _kind(part: dict[str, Any], name: str, kind: Any) -> Any:
    found = part.get(name, kind())
    if not isinstance(found, kind):
        raise Unusable(f"the schema's {name!r} must be {'a list' if kind is list else 'an object'}.")
    return found


def _check(part: dict[str, Any]) -> None:
    for name in _UNKNOWN:
        if name in part:
            raise Unusable(f"the schema's keyword {name!r} is not supported.")
    types = _types(part)
    for name, wanted in _OF_TYPE.items():
        said = types | {kind for kind, names in _SAYS_TYPE.items() if not types and any(n in part for n in names)}
        if name in part and not said & set(wanted):
            raise Unusable(f'the schema\'s keyword {name!r} is obeyed beside "type": "{wanted[0]}" only; say the type.')
    if "format" in part and part["format"] not in FORMATS:
        raise Unusable("the schema's keyword 'format' has a value that is not supported.")
    if ("pattern" in part or "format" in part) and ("minLength" in part or "maxLength" in part):
        raise Unusable(
            "the schema's keywords 'minLength' and 'maxLength' are not supported beside 'pattern' or 'format'."
        )
    _check_combined(part)


def _check_combined(part: dict[str, Any]) -> None:
    for name in _ALONE:
        beside = sorted((_VALIDATING & part.keys()) - {name})
        if name in part and beside:
            raise Unusable(f"the schema's keywords {name!r} and {beside[0]!r} are not supported beside each other.")
    if len(_kind(part, "allOf", list)) > 1:
        raise Unusable("the schema's keyword 'allOf' is not supported with more than one schema.")
    properties = _kind(part, "properties", dict)
    if "patternProperties" in part and (properties or len(_kind(part, "patternProperties", dict)) > 1):
        raise Unusable("the schema's keyword 'patternProperties' is supported alone and with one pattern only.")
    if "propertyNames" in part and (properties or "patternProperties" in part):
        raise Unusable("the schema's keyword 'propertyNames' is not supported beside named properties.")
    required = part.get("required", [])
    if not isinstance(required, list):
        raise Unusable("the schema's 'required' must be a list.")
    if any(name not in properties for name in required):
        raise Unusable("the schema's 'required' names a property that 'properties' does not have.")


def _types(part: dict[str, Any]) -> set[str]:
    found = part.get("type", [])
    listed = found if isinstance(found, list) else [found]
    return {one for one in listed if isinstance(one, str)}


def _check_reference(whole: Any, reference: str) -> None:
    if reference != "#" and not reference.startswith("#/"):
        raise Unusable("the schema's keyword '$ref' is supported within the schema only ('#/$defs/…').")
    found = whole
    for step in reference[2:].split("/") if len(reference) > 2 else ():
        name = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or name not in found:
            raise Unusable("the schema's keyword '$ref' names a part that is not there.")
        found = found[name]


def _patterns(part: dict[str, Any]) -> list[str]:
    found = [part["pattern"]] if "pattern" in part else []
    found += list(_kind(part, "patternProperties", dict))
    if not all(isinstance(one, str) for one in found):
        raise Unusable("the schema's keyword 'pattern' must be a text.")
    return found

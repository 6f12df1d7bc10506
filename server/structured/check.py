"""A request's constraint, tried as the engine will: what it cannot do is a 400 before it begins."""

import json
from collections.abc import Mapping
from typing import Any

from server.errors import BadRequest
from server.structured.errors import Unusable
from server.structured.productive import check_ends
from server.structured.schema import check_schema
from server.vllm.grammars import from_grammar, from_regex

# What xgrammar's messages hold, and what we say of it.
_CONSTRUCTS = (
    ("ookahead", "lookaheads"),
    ("ookbehind", "lookbehinds"),
    ("boundary", "word boundaries (\\b)"),
    ("Unicode character class", "Unicode classes (\\p{…})"),
    ("ackreference", "back references"),
    ("group modifier", "flags in groups"),
)
_LONGEST_PATTERN = 10_000


def check_constraint(kind: str, value: Any) -> None:
    """`kind`: json, regex, choice or grammar, as in vLLM's `structured_outputs`. Raises Unusable.

    Anything else (json_object, structural_tag) is left to vLLM."""
    import xgrammar  # heavy; vLLM has loaded it already

    grammars = xgrammar.Grammar
    if kind == "json":
        _check_json(grammars, value)
    elif kind == "regex":
        _check_regex(grammars, value)
    elif kind == "choice":
        if not value or not all(isinstance(one, str) and one for one in value):
            raise Unusable("must be a list of texts that are not empty.")
    elif kind == "grammar":
        _check_grammar(grammars, value)


def _check_json(grammars: Any, value: Any) -> None:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise Unusable("must be a JSON schema: an object.") from None
    for pattern in check_schema(value):
        try:
            _check_regex(grammars, pattern)
        except Unusable as error:
            raise Unusable(f"the schema's keyword 'pattern': {error.sentence}") from None
    try:
        made = str(grammars.from_json_schema(json.dumps(value), any_whitespace=False, separators=(",", ":")))
    except Exception as error:
        raise Unusable(_said_of_schema(str(error))) from None
    check_ends(made)


def _said_of_schema(text: str) -> str:
    if any(sign in text for sign in ("cannot accept any value", "greater than", "must not be empty", "Invalid range")):
        return "nothing satisfies it."
    if "Unsupported type" in text or "Type should" in text:
        return "the schema's keyword 'type' has a value that is none of JSON's types."
    return "the schema has a keyword with a value of the wrong kind."


def _check_regex(grammars: Any, pattern: str) -> None:
    if len(pattern) > _LONGEST_PATTERN or "\0" in pattern:
        raise Unusable("is too long, or holds a NUL character.")
    if any(sign in pattern for sign in ("(?=", "(?!", "(?<=", "(?<!")):
        raise Unusable("lookaheads and lookbehinds are not supported.")
    try:
        made = str(from_regex(grammars, pattern))
    except Exception as error:
        named = next((name for sign, name in _CONSTRUCTS if sign in str(error)), None)
        raise Unusable(f"{named} are not supported." if named else "is not a regular expression.") from None
    check_ends(made)


def _check_grammar(grammars: Any, value: str) -> None:
    try:
        made = str(from_grammar(grammars, value))
    except Exception:
        raise Unusable("is not a grammar in EBNF.") from None
    check_ends(made)


def check_body(data: Mapping[str, Any]) -> None:
    """`structured_outputs` and `response_format` of a completion's or a chat's JSON. Raises BadRequest."""
    outputs, wanted = data.get("structured_outputs"), data.get("response_format")
    if isinstance(outputs, dict):
        for kind, value in outputs.items():
            if value is not None:
                _named("structured_outputs", kind, value)
    if isinstance(wanted, dict) and wanted.get("type") == "json_schema":
        described = wanted.get("json_schema")
        if not isinstance(described, dict) or described.get("schema") is None:
            raise BadRequest("response_format: 'json_schema' must hold a 'schema'.", param="response_format")
        _named("response_format", "json", described["schema"])


def _named(field: str, kind: str, value: Any) -> None:
    try:
        check_constraint(kind, value)
    except Unusable as error:
        where = f"{field}.{kind}" if field == "structured_outputs" else field
        raise BadRequest(f"{where}: {error.sentence}", param=field, code="invalid_constraint") from None

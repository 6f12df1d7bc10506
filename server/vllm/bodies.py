"""vLLM's request classes, filled from a caller's JSON; what does not fit is said in the caller's words."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from vllm.exceptions import VLLMClientError

from server.errors import BadRequest
from server.vllm.engine_errors import plain_sentence

BodyT = TypeVar("BodyT", bound=BaseModel)
# What a field may be. vLLM's own messages name its classes, union by union.
_MAY_BE: Mapping[str, str] = {
    "model": "a text: the base, an adapter or adapter@revision",
    "prompt": "a text, a list of texts, or ids of tokens",
    "messages": "a list of messages, each with a role and a content",
    "stop": "a text, or a list of at most 4 texts",
    "stream": "true or false",
    "stream_options": 'an object like {"include_usage": true}, beside "stream": true',
    "max_tokens": "a whole number",
    "max_completion_tokens": "a whole number",
    "n": "a whole number",
    "seed": "a whole number of 64 bits",
    "temperature": "a number",
    "top_p": "a number",
    "logprobs": "a whole number from 0 on for completions, true or false for chats",
    "top_logprobs": 'a whole number from 0 on, beside "logprobs": true',
    "logit_bias": "an object of token ids and numbers",
    "bad_words": "a list of texts",
    "user": "a text",
    "cache_salt": "a text of 1 to 128 letters, without @, / and \\",
    "tools": "a list of tools, each with a type and a function",
    "tool_choice": '"none", "auto", "required", or one of the tools, with "tools" beside it',
    "response_format": 'an object: {"type": "text"}, {"type": "json_object"}, '
    'or {"type": "json_schema", "json_schema": {"name": …, "schema": {…}}}',
    "structured_outputs": 'an object with one of "json", "regex", "choice", "grammar", "json_object", "structural_tag"',
    "priority": "a whole number of 64 bits",
}


def fill(cls: type[BodyT], data: dict[str, Any]) -> BodyT:
    """`data` as vLLM's request. Raises BadRequest that names the field."""
    constraint = data.get("structured_outputs")
    if constraint is not None and not isinstance(constraint, dict):
        raise _wrong("structured_outputs")
    try:
        return cls.model_validate(data)
    except ValidationError as error:
        raise _wrong(_field(error, data)) from None
    except VLLMClientError as error:
        name = getattr(error, "parameter", None)
        field = name.partition(".")[0] if isinstance(name, str) else ""
        if not field and constraint is not None and "structured outputs" in str(error):
            field = "structured_outputs"
        raise _wrong(field) if field in _MAY_BE else BadRequest(plain_sentence(error)) from None
    except Exception:  # vLLM's validators see the raw body, and some trip over what it holds
        raise BadRequest("The request is not valid: a field has a value of a kind that it cannot have.") from None


def _field(error: ValidationError, data: Mapping[str, Any]) -> str:
    """The field of the body where the first fault is; empty where it is the body as a whole."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    names = [part for part in first["loc"] if isinstance(part, str) and (part in data or part in _MAY_BE)]
    if names:
        return names[0]
    missing = first["type"] == "missing" and first["loc"]
    return str(first["loc"][0]) if missing else ""


def _wrong(field: str) -> BadRequest:
    expected = _MAY_BE.get(field)
    if expected:
        return BadRequest(f"{field}: must be {expected}.", param=field, code="invalid_request")
    if field.isidentifier() and len(field) <= 40:
        return BadRequest(f"{field}: is not valid.", param=field, code="invalid_request")
    return BadRequest("The request is not valid.", code="invalid_request")

"""The model's answer: the form that it is held to, and its reading back. What the numbers mean is in `resolve`.

Both forms are regular expressions, which the server turns into a grammar in milliseconds (a JSON schema takes half a
second and lets white space run on). `lines` is the compact array that adapters are trained on:
`[3,5,null,"NGO MBARGA",[12,13]]`; `object` is compact JSON with its keys in order.
"""

import json
import re

from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.documents.types.text import MAX_CHARACTERS, STRING
from ocr_frontend.errors import InvalidAnswer
from ocr_frontend.llm.contract import Contract, DocumentPrompt
from ocr_frontend.llm.json_schema import regex

Element = int | float | str | tuple[int, ...] | None

MAX_JOINED = 5  # lines that together hold one value
_THOUGHT = re.compile(r"^\s*<think>.*?</think>\s*", re.DOTALL)


def constraint(contract: Contract, prompt: DocumentPrompt, spec: DocumentSpec, lines: int) -> str:
    """A regular expression that only well-formed answers match: with `lines` OCR lines, indexes below that.

    Raises SchemaError.
    """
    if contract.answer == "lines":
        index = _indexes(lines)
        elements = (_element_of(index, _joined_lines(spec, key)) for key in prompt.fields)
        return r"\[" + ",".join(elements) + r"\]"
    if prompt.answer_schema is not None:
        return regex(prompt.answer_schema)
    members = (f"{_literal(key)}:(?:null|{_form(spec, key)})" for key in prompt.fields)
    return r"\{" + ",".join(members) + r"\}"


def token_limit(contract: Contract, prompt: DocumentPrompt, most: int) -> int:
    """Room for the answer: a line number is a token or two, a written value up to one a character."""
    if contract.max_tokens is not None:
        return min(most, contract.max_tokens)
    return min(most, (24 if contract.answer == "lines" else 64) * len(prompt.fields) + 32)


def line_numbers(element: Element) -> tuple[int, ...]:
    """The lines that an element names, none where it is empty or written out."""
    return element if isinstance(element, tuple) else (element,) if type(element) is int else ()


def parse(text: str, contract: Contract, prompt: DocumentPrompt) -> dict[str, Element]:
    """Key to element. Raises InvalidAnswer; the text itself is not in the message."""
    try:
        answer = json.loads(_THOUGHT.sub("", text))
    except (ValueError, RecursionError):
        raise InvalidAnswer("The model's answer is not valid JSON.") from None
    return _elements(answer, contract, prompt)


def _elements(answer: object, contract: Contract, prompt: DocumentPrompt) -> dict[str, Element]:
    if contract.answer == "lines":
        if not isinstance(answer, list) or len(answer) != len(prompt.fields):
            raise InvalidAnswer("The model's answer does not contain exactly one element per field.")
        return {key: _element(value) for key, value in zip(prompt.fields, answer, strict=True)}
    if not isinstance(answer, dict):
        raise InvalidAnswer("The model's answer is not a JSON object.")
    return {key: _written(answer.get(key)) for key in prompt.fields}


def whole_part(text: str, contract: Contract) -> str:
    """An answer that was cut at its token limit, closed behind its last whole element.

    Small models repeat themselves now and then without an end; what stands before that is an answer all the same, and
    nothing is where that begins in the first element: the page's labels may still say some fields.
    Raises InvalidAnswer where no answer was begun.
    """
    said = _THOUGHT.sub("", text).lstrip()
    begin, end = "[]" if contract.answer == "lines" else "{}"
    if not said.startswith(begin):
        raise InvalidAnswer("The model's answer was cut off at its token limit before it began.")
    at = len(said)
    while (at := said.rfind(",", 0, at)) > 0:
        try:
            json.loads(said[:at] + end)
        except (ValueError, RecursionError):
            continue  # a comma in a text
        return said[:at] + end
    return begin + end


def parse_part(text: str, contract: Contract, prompt: DocumentPrompt) -> tuple[dict[str, Element], frozenset[str]]:
    """Of a whole part: key to element, and the keys that it has not come to, which are null."""
    answer = json.loads(text)
    if contract.answer == "lines":
        missing = prompt.fields[len(answer) :]
        answer = [*answer, *(None for _ in missing)]
    else:
        missing = tuple(key for key in prompt.fields if key not in answer)
    return _elements(answer, contract, prompt), frozenset(missing)


def _element(value: object) -> Element:
    _check_length(value)
    if value is None or (isinstance(value, int | float | str) and not isinstance(value, bool)):
        return value
    if isinstance(value, list) and 0 < len(value) <= MAX_JOINED and all(type(item) is int for item in value):
        return tuple(value)
    raise InvalidAnswer("The model's answer holds something that is neither a text, nor a number, nor null.")


def _written(value: object) -> Element:
    """Of an object: everything is written out. A list of texts is one text."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = " ".join(value) or None
    _check_length(value)
    if value is None or (isinstance(value, int | float | str) and not isinstance(value, bool)):
        return value if value is None else str(value)
    raise InvalidAnswer("The model's answer holds something that is neither a text, nor a number, nor null.")


def _check_length(value: object) -> None:
    """The grammar counts no characters: a value that runs on is no value."""
    if isinstance(value, str) and len(value) > 4 * MAX_CHARACTERS:
        raise InvalidAnswer("The model's answer holds a value that does not end.")


def _element_of(index: str, most: int) -> str:
    joined = rf"|\[{index}(?:,{index}){{1,{most - 1}}}\]" if most > 1 else ""
    return f"(?:null|{index}{joined}|{STRING})"


def _joined_lines(spec: DocumentSpec, key: str) -> int:
    """At least as many as adapters were trained to join (three), more where the document says so."""
    field = spec.field(key)
    return min(MAX_JOINED, max(3, field.max_lines if field else 3))


def _indexes(lines: int) -> str:
    """The numbers 0 … lines - 1 without leading zeros, for up to 1,000 lines."""
    last = min(lines, 1000) - 1
    if last < 0:
        return "null"
    if last < 10:
        return f"[0-{last}]"
    if last < 100:
        return f"(?:[0-9]|{_below(last)})"
    hundreds, rest = divmod(last, 100)
    below = f"[1-{hundreds - 1}][0-9][0-9]|" if hundreds > 1 else ""
    inner = f"0[0-{rest}]" if rest < 10 else f"(?:0[0-9]|{_below(rest)})"
    return f"(?:[0-9]|[1-9][0-9]|{below}{hundreds}{inner})"


def _below(last: int) -> str:
    """The two-digit numbers 10 … last."""
    tens, ones = divmod(last, 10)
    below = f"[1-{tens - 1}][0-9]|" if tens > 1 else ""
    return f"{below}{tens}[0-{ones}]"


def _form(spec: DocumentSpec, key: str) -> str:
    field = spec.field(key)
    return field.type.grammar() if field else STRING


def _literal(name: str) -> str:
    return re.escape(json.dumps(name, ensure_ascii=False))

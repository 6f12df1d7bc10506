"""The model's answer: the form that it is held to, and its reading back. What the numbers mean is in `resolve`.

Both forms are regular expressions, which the server turns into a grammar in milliseconds (a JSON schema takes half a
second and lets white space run on). `lines` is the compact array that adapters are trained on:
`[3,5,null,"NGO MBARGA",[12,13]]`.
"""

import json
import re
from collections.abc import Sequence

from ocr_frontend.documents.registry import DOCUMENTS, FieldSpec, Kind
from ocr_frontend.errors import InvalidAnswer
from ocr_frontend.llm.prompt import Contract

Element = int | float | str | tuple[int, ...] | None

MAX_STRING = 80  # characters of one value
MAX_JOINED = 3  # lines that together hold one value
_CHARACTER = r'(?:[^"\\\x00-\x1f]|\\["\\/bfnrt])'
# Without a count: for one xgrammar looks at the whole vocabulary anew at every token, which takes several times as long
# as the token itself (docs/lab-notes.md, "Fewer steps"). `token_limit` ends what runs on.
_STRING = f'"{_CHARACTER}*"'
_OBJECT_FORMS = {
    Kind.SEX: 'null|"M"|"F"',
    Kind.HEIGHT: rf"null|[0-2]\.[0-9]{{1,2}}|{_STRING}",
}


def constraint(contract: Contract, fields: Sequence[str], document: str, lines: int) -> str:
    """A regular expression that only well-formed answers match: with `lines` OCR lines, indexes below that."""
    if contract.answer == "lines":
        index = _indexes(lines)
        joined = rf"\[{index}(?:,{index}){{1,{MAX_JOINED - 1}}}\]"
        element = f"(?:null|{index}|{joined}|{_STRING})"
        return r"\[" + ",".join([element] * len(fields)) + r"\]"
    specs = {spec.name: spec for spec in DOCUMENTS[document].fields}
    members = (f"{_literal(name)}: ?(?:{_form(specs.get(name))})" for name in fields)
    return r"\{" + ", ?".join(members) + r"\}"


def token_limit(contract: Contract, fields: Sequence[str], most: int) -> int:
    """Room for the answer: a line number is a token or two, a written value up to one a character."""
    return min(most, (24 if contract.answer == "lines" else 64) * len(fields) + 32)


def line_numbers(element: Element) -> tuple[int, ...]:
    """The lines that an element names, none where it is empty or written out."""
    return element if isinstance(element, tuple) else (element,) if isinstance(element, int) else ()


def parse(text: str, contract: Contract, fields: Sequence[str]) -> dict[str, Element]:
    """Field name to element. Raises InvalidAnswer; the text itself is not in the message."""
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidAnswer("The model's answer is not valid JSON.") from None
    if contract.answer == "lines":
        if not isinstance(answer, list) or len(answer) != len(fields):
            raise InvalidAnswer("The model's answer has not one element for each field.")
        answer = dict(zip(fields, answer, strict=True))
    if not isinstance(answer, dict):
        raise InvalidAnswer("The model's answer is not a JSON object.")
    return {name: _element(answer.get(name)) for name in fields}


def _element(value: object) -> Element:
    if isinstance(value, str) and len(value) > MAX_STRING:
        raise InvalidAnswer(f"The model's answer holds a value of more than {MAX_STRING} characters.")
    if value is None or (isinstance(value, int | float | str) and not isinstance(value, bool)):
        return value
    if isinstance(value, list) and 0 < len(value) <= MAX_JOINED and all(type(item) is int for item in value):
        return tuple(value)
    raise InvalidAnswer("The model's answer holds something that is neither a text, nor a number, nor null.")


def _indexes(lines: int) -> str:
    """The numbers 0 … lines - 1 without leading zeros, for up to 100 lines."""
    last = min(lines, 100) - 1
    if last < 0:
        return "null"
    if last < 10:
        return f"[0-{last}]"
    tens, ones = divmod(last, 10)
    below = f"[1-{tens - 1}][0-9]|" if tens > 1 else ""
    return f"(?:[0-9]|{below}{tens}[0-{ones}])"


def _form(spec: FieldSpec | None) -> str:
    return _OBJECT_FORMS.get(spec.kind, f"null|{_STRING}") if spec else f"null|{_STRING}"


def _literal(name: str) -> str:
    return re.escape(json.dumps(name, ensure_ascii=False))

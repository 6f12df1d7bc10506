"""Codes of a fixed form, such as two letters and eight digits."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from ocr_frontend.documents.types.base import DIGIT, TO_LETTER, Found, ValueType, as_digits, rough_number
from ocr_frontend.documents.types.text import STRING


@dataclass(frozen=True)
class Mask(ValueType):
    """Capitals and digits in fixed places: `pattern` has an A for each letter, then a 9 for each digit."""

    name: ClassVar[str] = "mask"
    pattern: str = "AA99999999"
    words: str = ""  # for people

    def __post_init__(self) -> None:
        if not re.fullmatch(r"A*9+", self.pattern):
            raise ValueError("a mask is letters (A) and then digits (9), such as AA99999999")

    @property
    def hint(self) -> str:
        """In words where the file has them."""
        return self.words or f"{self.pattern} (A a letter, 9 a digit)"

    def finds(self, text: str) -> Iterator[Found]:
        """Words of that form, with letters and digits that OCR confuses put right."""
        letters, digits = self.pattern.count("A"), self.pattern.count("9")
        pattern = rf"(?<![^\W_])([A-Z01258]{{{letters}}})\s?({DIGIT}(?:\s?{DIGIT}){{{digits - 1}}})(?![^\W_])"
        for match in re.finditer(pattern, text):
            head, tail = match.group(1), match.group(2).replace(" ", "")
            number, word = as_digits(tail), head.translate(TO_LETTER)
            if number is not None and not (head and head.isdigit()):
                yield Found(word + number, word + number != head + tail, at=match.start())

    def rough(self, text: str) -> Found | None:
        """A damaged code as read."""
        return rough_number(text)

    def grammar(self) -> str:
        """A JSON string: a damaged code is copied as read."""
        return STRING

    def json_schema(self) -> dict[str, Any]:
        """A string of that form; otherwise as read."""
        return {"type": "string", "description": f"{self.hint}; otherwise as read, with a warning"}

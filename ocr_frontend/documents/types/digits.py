"""Numbers of a fixed count of digits, kept as text: leading zeros count, and some are too long for a double."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from ocr_frontend.documents.types.base import DIGIT, Found, ValueType, as_digits, rough_number
from ocr_frontend.documents.types.text import STRING


@dataclass(frozen=True)
class Digits(ValueType):
    """Exactly `count` digits."""

    name: ClassVar[str] = "digits"
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.count <= 64:
            raise ValueError("a number has 1 to 64 digits")

    @property
    def hint(self) -> str:
        """No letters."""
        return "digits only"

    def finds(self, text: str) -> Iterator[Found]:
        """Runs of that many digits, blanks between them or not: in groups no part of a longer number in groups."""
        for match in re.finditer(rf"(?<![0-9])(?=({DIGIT}(?:\s?{DIGIT}){{{self.count - 1}}})(?![^\W_]))", text):
            begin, end = match.start(), match.start() + len(match.group(1))
            raw = match.group(1).replace(" ", "")
            if " " in match.group(1) and (text[:begin].rstrip()[-1:].isdigit() or text[end:].lstrip()[:1].isdigit()):
                continue
            if text[:begin][-1:].isalpha() and not raw[0].isdigit():
                continue  # the tail of a word
            digits = as_digits(raw)
            if digits is not None:
                yield Found(digits, digits != raw, at=begin)

    def rough(self, text: str) -> Found | None:
        """A damaged number as read."""
        return rough_number(text)

    def grammar(self) -> str:
        """A JSON string: a damaged number is copied as read."""
        return STRING

    def json_schema(self) -> dict[str, Any]:
        """A string of digits; otherwise as read."""
        return {"type": "string", "description": f"{self.count} digits; otherwise as read, with a warning"}

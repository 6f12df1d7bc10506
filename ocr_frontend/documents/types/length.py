"""Lengths in metres: a person's height, printed as 1,75 or 1.74 m or 166 cm."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from ocr_frontend.documents.types.base import DIGIT, TO_DIGIT, Found, Value, ValueType
from ocr_frontend.documents.types.text import STRING

# Centimetres may be read with a gap between them: `1,6 8`; what follows them then is no other number's point.
_CENTIMETRE = rf"{DIGIT}(?:{DIGIT}|\s{DIGIT}(?![.,/]))?"
_METRES = re.compile(rf"(?<![0-9])(?=([0-2IilO|])\s?([.,:;'mM]?)\s?({_CENTIMETRE})(?![0-9]))")
_WHOLE = 3  # digits; one that is lost makes another height
_CENTIMETRES = re.compile(r"(?<![0-9.,])([12][0-9]{2})\s?cm\b", re.IGNORECASE)


@dataclass(frozen=True)
class Length(ValueType):
    """Metres without the unit, between `least` and `most`."""

    name: ClassVar[str] = "length"
    python: ClassVar[Any] = float
    least: float = 0.4
    most: float = 2.6

    @property
    def hint(self) -> str:
        """An example."""
        return "a number in metres such as 1.75"

    def finds(self, text: str) -> Iterator[Found]:
        """Numbers that may be such a length."""
        for match in _CENTIMETRES.finditer(text):
            yield from self._metres(match.group(1)[0], match.group(1)[1:], False, match.start())
        for match in _METRES.finditer(text):
            whole, separator, rest = match.groups()
            rest = "".join(rest.split())
            raw = whole + rest
            glued = text[: match.start()][-1:].isalpha() and not (separator and whole.isdigit())
            if glued or _runs_on(text[match.end(3) :]) or not (separator or len(rest) == 2):
                continue
            if any(character.isdigit() for character in raw):
                digits = raw.translate(TO_DIGIT)
                yield from self._metres(digits[0], digits[1:], digits != raw, match.start())

    def _metres(self, whole: str, rest: str, repaired: bool, at: int) -> Iterator[Found]:
        length = float(f"{whole}.{rest}")
        if self.least <= length <= self.most:
            yield Found(length, repaired, len(whole + rest) == _WHOLE, at)

    def grammar(self) -> str:
        """A number, or the text as printed."""
        return rf"[0-2]\.[0-9]{{1,2}}|{STRING}"

    def json_schema(self) -> dict[str, Any]:
        """A number of metres."""
        return {"type": "number", "description": "metres"}

    def normal(self, value: Value | None) -> float | None:
        """The number itself."""
        return value if isinstance(value, float) else None


def _runs_on(rest: str) -> bool:
    """A word goes on behind the number; a single `m` is the unit."""
    after = re.match(r"[^\W\d_]+", rest)
    return after is not None and after.group().lower() not in ("m", "mm", "n")

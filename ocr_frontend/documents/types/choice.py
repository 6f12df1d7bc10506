"""One of a few words, such as M or F."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from ocr_frontend.documents.letters import letters
from ocr_frontend.documents.types.base import Found, ValueType

_UNITS = ("M", "m")
_LENGTH = re.compile(r"(?<![\d.,/-])[0-2]\s?[.,:;']?\s?\d{1,2} $")


@dataclass(frozen=True)
class Choice(ValueType):
    """One of `values`, which stand as words of their own.

    An M behind a length is its unit, and none; several with strokes between them (M/F) say what may be chosen.
    words: other texts that mean one of them, where one stands alone (`FEMALE: F`).
    """

    name: ClassVar[str] = "choice"
    values: tuple[str, ...] = ()
    words: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))
        object.__setattr__(self, "words", tuple(sorted(dict(self.words).items())))
        if not self.values:
            raise ValueError("a choice needs its values")
        if not all(isinstance(value, str) for value in self.values):
            raise ValueError("the values of a choice are texts: put words such as YES and NO between quotation marks")
        if strange := {value for _, value in self.words} - set(self.values):
            raise ValueError(f"words of a choice mean one of its values, not {', '.join(map(str, sorted(strange)))}")

    @property
    def hint(self) -> str:
        """The values."""
        return " or ".join(self.values)

    def finds(self, text: str) -> Iterator[Found]:
        """The values as whole words; one alone in small letters counts too."""
        small = {value.lower(): value for value in self.values}
        if text in small and text not in self.values:
            yield Found(small[text], repaired=True, at=0)
        if meant := dict(self.words).get(letters(text)):
            yield Found(meant, at=0)
            return
        longest_first = sorted(self.values, key=len, reverse=True)
        word = rf"(?<![^\W_])({'|'.join(map(re.escape, longest_first))})(?![^\W_])"
        offered = [match.span() for match in re.finditer(rf"{word}(?:\s*[/|]\s*{word})+", text)]
        for match in re.finditer(word, text):
            unit = match.group(1) in _UNITS and _LENGTH.search(text[: match.start()])
            if unit or any(begin <= match.start() < end for begin, end in offered):
                continue
            yield Found(match.group(1), at=match.start())

    def grammar(self) -> str:
        """The values as JSON strings."""
        return "|".join(re.escape(json.dumps(value, ensure_ascii=False)) for value in self.values)

    def json_schema(self) -> dict[str, Any]:
        """An enumeration."""
        return {"type": "string", "enum": list(self.values), "description": self.hint}

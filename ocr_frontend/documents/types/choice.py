"""One of a few words, such as M or F."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from ocr_frontend.documents.types.base import Found, ValueType


@dataclass(frozen=True)
class Choice(ValueType):
    """One of `values`, which stand as words of their own.

    A single letter behind a number is a unit, and none; several with strokes between them (M/F) say what may be chosen.
    """

    name: ClassVar[str] = "choice"
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))
        if not self.values:
            raise ValueError("a choice needs its values")

    @property
    def hint(self) -> str:
        """The values."""
        return " or ".join(self.values)

    def finds(self, text: str) -> Iterator[Found]:
        """The values as whole words; one alone in small letters counts too."""
        small = {value.lower(): value for value in self.values}
        if text in small and text not in self.values:
            yield Found(small[text], repaired=True, at=0)
        longest_first = sorted(self.values, key=len, reverse=True)
        word = rf"(?<![^\W_])(?<!\d )({'|'.join(map(re.escape, longest_first))})(?![^\W_])"
        offered = [match.span() for match in re.finditer(rf"{word}(?:\s*[/|]\s*{word})+", text)]
        for match in re.finditer(word, text):
            if any(begin <= match.start() < end for begin, end in offered):
                continue
            yield Found(match.group(1), at=match.start())

    def grammar(self) -> str:
        """The values as JSON strings."""
        return "|".join(re.escape(json.dumps(value, ensure_ascii=False)) for value in self.values)

    def json_schema(self) -> dict[str, Any]:
        """An enumeration."""
        return {"type": "string", "enum": list(self.values), "description": self.hint}

"""Free text: names, places, trades."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from ocr_frontend.documents.types.base import Found, ValueType

MAX_CHARACTERS = 80  # of one written value
CHARACTER = r'(?:[^"\\\x00-\x1f]|\\["\\/bfnrt])'
# Without a count: for one xgrammar looks at the whole vocabulary anew at every token, which takes several times as long
# as the token itself (docs/lab-notes.md, "Fewer steps"). The token limit ends what runs on.
STRING = f'"{CHARACTER}*"'


@dataclass(frozen=True)
class Text(ValueType):
    """Any text. digits: false where a text of more digits than letters is none (a name)."""

    digits: bool = True
    name: ClassVar[str] = "text"
    free: ClassVar[bool] = True

    @property
    def hint(self) -> str:
        """Nothing: it is copied as it stands."""
        return ""

    def finds(self, text: str) -> Iterator[Found]:
        """The whole text."""
        if text and (self.digits or 2 * sum(map(str.isdigit, text)) <= sum(map(str.isalnum, text))):
            yield Found(text, at=0)

    def grammar(self) -> str:
        """A JSON string without control characters."""
        return STRING

    def json_schema(self) -> dict[str, Any]:
        """A string."""
        return {"type": "string", "description": "as printed"}

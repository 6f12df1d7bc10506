"""What every value type offers."""

import datetime
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

Value = str | float

# Digits that OCR takes for letters, and back.
TO_DIGIT = str.maketrans("OoDQIil|ZzSsB", "0000111122558")
TO_LETTER = str.maketrans("01258", "OIZSB")
DIGIT = r"[0-9OoDQIil|ZzSsB]"


@dataclass(frozen=True, slots=True)
class Found:
    """A value that stands in a text.

    repaired: characters that OCR confuses were put right; exact: it has the type's whole form;
    at: where it begins in the text (-1 where that says nothing).
    """

    value: Value
    repaired: bool = False
    exact: bool = True
    at: int = -1


class ValueType(ABC):
    """A type of value. Instances are immutable; parameters come from the document file."""

    name: ClassVar[str]
    free: ClassVar[bool] = False  # any text will do: only free text can be continued on a second line
    python: ClassVar[Any] = str

    @property
    @abstractmethod
    def hint(self) -> str:
        """What a prompt says of the form, empty where it says nothing."""

    @abstractmethod
    def finds(self, text: str) -> Iterator[Found]:
        """Every value of this type in a folded text, from left to right."""

    @abstractmethod
    def grammar(self) -> str:
        """A regular expression of the JSON value in an object answer, without null."""

    @abstractmethod
    def json_schema(self) -> dict[str, Any]:
        """JSON schema of the value in `data`, without null."""

    def find(self, text: str) -> Found | None:
        """The first value in `text`; where none has the form, what was read in its place, with `exact` false."""
        text = fold(text)
        return next(self.finds(text), None) or self.rough(text)

    def holds(self, text: str) -> bool:
        """Whether there is a whole value in `text`."""
        found = self.find(text)
        return found is not None and found.exact

    def of_day(self, day: datetime.date) -> Found | None:
        """A calendar day as a value of this type."""
        return self.find(f"{day:%d.%m.%Y}")

    def rough(self, text: str) -> Found | None:
        """What may be a damaged value of this type. None by default."""
        return None

    def normal(self, value: Value | None) -> Value | None:
        """A form that programs compare (ISO 8601, a number); None where the type has none or the value does not fit."""
        return None


def fold(text: str) -> str:
    """White space folded to single spaces."""
    return " ".join(text.split())


def as_digits(text: str) -> str | None:
    """`text` with its letters read as digits; None where real digits are too few to vouch for them."""
    real = sum(character.isdigit() for character in text)
    return text.translate(TO_DIGIT) if real and 2 * real >= len(text) else None


def rough_number(text: str) -> Found | None:
    """The words that are mostly digits, as read, with single words between them: one number may have been broken up."""
    words = text.split()
    numbers = [n for n, word in enumerate(words) if 2 * sum(character.isdigit() for character in word) >= len(word)]
    kept = [n for n in range(len(words)) if n in numbers or (n - 1 in numbers and n + 1 in numbers)]
    rough = " ".join(words[n] for n in kept).strip(".,:;/-")
    return Found(rough, exact=False) if sum(character.isdigit() for character in rough) >= 4 else None

"""An example's lines as the front sees them: the labels in them, and the value that an answer says."""

from collections.abc import Iterable, Sequence

from adapters.training.targets import Target
from ocr_frontend.documents.labels import LabelBook
from ocr_frontend.documents.spec import FieldSpec

_NEAR = 3  # lines: how far before a value its label may stand


class Page:
    """Lines and the labels in them."""

    def __init__(self, lines: Sequence[str], book: LabelBook) -> None:
        self.lines = lines
        self.readings = [book.read(line) for line in lines]
        self.names = [
            frozenset(name for name in (each.damaged or each.labels) if not name.startswith("="))
            for each in self.readings
        ]

    def text_of(self, index: int, key: str) -> str:
        """The line for a field, without its own label before it or another's behind it, as the front has it."""
        reading = self.readings[index]
        if reading.rest and key in self.names[index]:
            return reading.rest
        return reading.head if reading.head and key not in self.names[index] else self.lines[index]

    def under_own_label(self, index: int, key: str) -> bool:
        """Whether the label in the line, or the nearest one of the few lines before it, is the field's own."""
        for at in range(index, max(-1, index - _NEAR - 1), -1):
            if self.names[at]:
                return key in self.names[at]
        return False


def read(target: Target, spec: FieldSpec, page: Page) -> str | None:
    """The value that the front reads from an answer."""
    if target is None:
        return None
    text = target if isinstance(target, str) else " ".join(page.text_of(n, spec.key) for n in numbers_of(target))
    found = spec.type.find(" ".join(text.split()))
    return None if found is None else str(found.value)


def numbers_of(target: Target) -> Iterable[int]:
    """The lines that an answer names."""
    return target if isinstance(target, tuple) else (target,) if isinstance(target, int) else ()

"""Amounts of money, kept as printed: 1,234.50 or 12.00."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from ocr_frontend.documents.types.base import Found, Value, ValueType, rough_number
from ocr_frontend.documents.types.text import STRING

_AMOUNT = re.compile(r"(?<![\d.,])(\d{1,3}(?:[, ]\d{3})+(?:\.\d{1,2})?|\d+\s?[.,]\s?\d{2}|\d+)(?![\d%]|[.,]\d)")


@dataclass(frozen=True)
class Amount(ValueType):
    """Without currency; `decimals`: only amounts with two decimals count."""

    name: ClassVar[str] = "amount"
    decimals: bool = True

    @property
    def hint(self) -> str:
        """An example."""
        return "an amount such as 12.50"

    def finds(self, text: str) -> Iterator[Found]:
        """Amounts; a blank around the decimal point is OCR's."""
        for match in _AMOUNT.finditer(text):
            raw = match.group(1)
            value = re.sub(r"\s?([.,])\s?(?=\d{2}$)", ".", raw)
            if self.decimals and not re.search(r"\.\d{2}$", value):
                continue
            yield Found(value, value != raw, at=match.start())

    def rough(self, text: str) -> Found | None:
        """A damaged amount as read."""
        return rough_number(text)

    def grammar(self) -> str:
        """A JSON string as printed."""
        return STRING

    def json_schema(self) -> dict[str, Any]:
        """A string."""
        return {"type": "string", "description": "an amount as printed, without currency"}

    def normal(self, value: Value | None) -> float | None:
        """The number."""
        text = re.sub(r"[, ]", "", str(value)) if isinstance(value, str) else ""
        return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None

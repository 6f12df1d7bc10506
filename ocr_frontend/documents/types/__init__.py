"""The types of values: how each is found in a line, constrained, described and normalised. One class a type."""

from collections.abc import Mapping
from typing import Any

from ocr_frontend.documents.types.amount import Amount
from ocr_frontend.documents.types.base import Found, Value, ValueType, fold
from ocr_frontend.documents.types.choice import Choice
from ocr_frontend.documents.types.date import Date
from ocr_frontend.documents.types.digits import Digits
from ocr_frontend.documents.types.length import Length
from ocr_frontend.documents.types.mask import Mask
from ocr_frontend.documents.types.text import Text

__all__ = ["TYPES", "Digits", "Found", "Value", "ValueType", "fold", "make_type"]

TYPES: Mapping[str, type[ValueType]] = {kind.name: kind for kind in (Text, Date, Choice, Length, Digits, Mask, Amount)}


def make_type(given: str | Mapping[str, Any]) -> ValueType:
    """From a document file: a type's name, or a mapping of its name to its parameters.

    Raises ValueError with a sentence that names the type or the parameter.
    """
    name, parameters = (given, {}) if isinstance(given, str) else next(iter(given.items()), ("", {}))
    kind = TYPES.get(name)
    if kind is None or (not isinstance(given, str) and len(given) != 1):
        raise ValueError(f"unknown type {name!r}: known are {', '.join(sorted(TYPES))}")
    try:
        return kind(**(parameters or {}))
    except TypeError:
        raise ValueError(f"the type {name!r} does not take these parameters: {', '.join(parameters)}") from None

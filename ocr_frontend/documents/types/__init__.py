"""The types of values: how each is found in a line, constrained, described and normalised. One class a type."""

from collections.abc import Mapping
from inspect import signature
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
_EXAMPLE = "`digits: { count: 5 }`"
# What a parameter may be, by the annotation of the type's attribute, and in words.
_FORMS: Mapping[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a text"),
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
}
_LIST = ((list, tuple, Mapping), "a list")


def make_type(given: object) -> ValueType:
    """From a document file: a type's name, or a mapping of its name to its parameters.

    Raises ValueError with a sentence that names the type or the parameter.
    """
    name, parameters = _parts(given)
    kind = TYPES.get(name)
    if kind is None:
        raise ValueError(f"unknown type {name!r}: known are {', '.join(sorted(TYPES))}")
    forms = {each: parameter.annotation for each, parameter in signature(kind).parameters.items()}
    if unknown := [str(each) for each in parameters if each not in forms]:
        raise ValueError(f"the type {name!r} does not take these parameters: {', '.join(unknown)}")
    for each, value in parameters.items():
        accepted, words = _FORMS.get(forms[each], _LIST)
        if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in accepted):
            raise ValueError(f"the parameter {each!r} of the type {name!r} is {words}")
    try:
        return kind(**{each: tuple(value) if isinstance(value, list) else value for each, value in parameters.items()})
    except TypeError:  # what stands in a list
        raise ValueError(f"the type {name!r} does not take such parameters: {', '.join(parameters)}") from None


def _parts(given: object) -> tuple[str, Mapping[str, Any]]:
    """The name and the parameters."""
    if isinstance(given, str):
        return given, {}
    if isinstance(given, Mapping) and len(given) == 1:
        ((name, parameters),) = given.items()
        if isinstance(name, str) and (parameters is None or isinstance(parameters, Mapping)):
            return name, parameters or {}
        raise ValueError(f"the parameters of the type {name!r} are names with their values, as in {_EXAMPLE}")
    raise ValueError(f"a type is its name, such as `text`, or one name with its parameters, as in {_EXAMPLE}")

"""Rules that a document file names by code: what must hold of one value, or between two."""

import datetime
from collections.abc import Callable, Iterable, Mapping

from ocr_frontend.documents.spec import Check, DocumentSpec, FieldSpec
from ocr_frontend.documents.types import Value
from ocr_frontend.extraction.warnings import Warning_

_DAYS_A_YEAR = 365.25
# No value is so; what has expired is one all the same.
_IMPOSSIBLE = frozenset({"in_future", "age_implausible", "out_of_range", "far_off"})
# What a person should look at, however sure the reading is; that a document has expired is no doubt about it.
DOUBTFUL = _IMPOSSIBLE | {"not_after", "year_differs"}


class Values:
    """The values of one document, as days and numbers where they are such."""

    def __init__(self, spec: DocumentSpec, values: Mapping[str, Value | None], today: datetime.date) -> None:
        self._spec, self._values, self.today = spec, values, today

    def day(self, key: str | None) -> datetime.date | None:
        """None where there is no such date."""
        field = self._field(key)
        normal = field.type.normal(self._values.get(field.key)) if field else None
        try:
            return datetime.date.fromisoformat(normal) if isinstance(normal, str) else None
        except ValueError:
            return None

    def number(self, key: str | None) -> float | None:
        """None where there is no such number."""
        field = self._field(key)
        normal = field.type.normal(self._values.get(field.key)) if field else None
        return normal if isinstance(normal, float) else None

    def text(self, key: str | None) -> str:
        """Empty where there is no value."""
        value = self._values.get(key or "")
        return "" if value is None else str(value)

    def _field(self, key: str | None) -> FieldSpec | None:
        return self._spec.field(key) if key else None


def check(spec: DocumentSpec, values: Mapping[str, Value | None], today: datetime.date | None = None) -> list[Warning_]:
    """A warning for each of the document's checks that does not hold; a check whose values are missing holds."""
    given = Values(spec, values, today or datetime.date.today())
    return [_warning(each) for each in spec.checks if RULES[each.code](each, given)]


def impossible(spec: DocumentSpec, key: str, value: Value | None, today: datetime.date | None = None) -> bool:
    """Whether a check of this field alone says that there is no such value."""
    alone = Values(spec, {key: value}, today or datetime.date.today())
    checks = (each for each in spec.checks if each.field == key and each.code in _IMPOSSIBLE)
    return any(RULES[each.code](each, alone) for each in checks)


def unknown_checks(specs: Iterable[DocumentSpec]) -> set[str]:
    """Codes that no rule has."""
    return {each.code for spec in specs for each in spec.checks} - RULES.keys()


def _warning(each: Check) -> Warning_:
    params = {"other": each.other, "least": each.least, "most": each.most}
    return Warning_(each.code, each.field, {name: value for name, value in params.items() if value is not None})


def _in_future(each: Check, values: Values) -> bool:
    day = values.day(each.field)
    return day is not None and day > values.today


def _age_implausible(each: Check, values: Values) -> bool:
    day = values.day(each.field)
    if day is None or day > values.today:
        return False
    age = (values.today - day).days / _DAYS_A_YEAR
    return not (each.least or 0) <= age <= (each.most or 130)


def _expired(each: Check, values: Values) -> bool:
    day = values.day(each.field)
    return day is not None and day < values.today


def _far_off(each: Check, values: Values) -> bool:
    day = values.day(each.field)
    return day is not None and (day - values.today).days / _DAYS_A_YEAR > (each.most or 100)


def _not_after(each: Check, values: Values) -> bool:
    day, other = values.day(each.field), values.day(each.other)
    return day is not None and other is not None and day <= other


def _out_of_range(each: Check, values: Values) -> bool:
    number = values.number(each.field)
    least, most = each.least, each.most
    return number is not None and ((least is not None and number < least) or (most is not None and number > most))


def _year_differs(each: Check, values: Values) -> bool:
    text, day = values.text(each.field), values.day(each.other)
    return day is not None and text[:4].isdigit() and text[:4] != f"{day.year:04}"


RULES: Mapping[str, Callable[[Check, Values], bool]] = {
    "in_future": _in_future,
    "age_implausible": _age_implausible,
    "expired": _expired,
    "far_off": _far_off,
    "not_after": _not_after,
    "out_of_range": _out_of_range,
    "year_differs": _year_differs,
}

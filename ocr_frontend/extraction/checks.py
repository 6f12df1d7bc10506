"""Rules that a document file names by code: what must hold of one value, or between two."""

import datetime
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ocr_frontend.documents.spec import Check, DocumentSpec, FieldSpec
from ocr_frontend.documents.types import Value
from ocr_frontend.extraction.warnings import Parameter, Warning_

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
    return [_warning(each) for each in spec.checks if RULES[each.code].broken(each, given)]


def impossible(spec: DocumentSpec, key: str, value: Value | None, today: datetime.date | None = None) -> bool:
    """Whether a check of this field alone says that there is no such value."""
    alone = Values(spec, {key: value}, today or datetime.date.today())
    checks = (each for each in spec.checks if each.field == key and each.code in _IMPOSSIBLE)
    return any(RULES[each.code].broken(each, alone) for each in checks)


def faults(specs: Iterable[DocumentSpec]) -> list[str]:
    """What is wrong with the checks of documents: codes that no rule has, and parameters that a rule needs."""
    return [f"{spec.name}: {fault}" for spec in specs for each in spec.checks if (fault := _fault(each))]


def _fault(each: Check) -> str:
    rule = RULES.get(each.code)
    if rule is None:
        return f"there is no check {each.code}; there are {', '.join(RULES)}"
    missing = rule.needs and all(getattr(each, name) is None for name in rule.needs)
    return f"the check {each.code} of {each.field} needs {' or '.join(rule.needs)}" if missing else ""


def _bounds(each: Check) -> tuple[float | None, float | None]:
    """The least and the most: the rule's usual ones where the document file leaves them out."""
    rule = RULES[each.code]
    return rule.least if each.least is None else each.least, rule.most if each.most is None else each.most


def _warning(each: Check) -> Warning_:
    params: dict[str, Parameter] = {} if each.other is None else {"other": each.other}
    least, most = (None if bound is None else _plain(bound) for bound in _bounds(each))
    params |= {name: bound for name, bound in (("least", least), ("most", most)) if bound is not None}
    # In signs: the sentences of every language take it as it is.
    if least is not None and most is not None:
        params["range"] = f"{least}–{most}"
    elif least is not None or most is not None:
        params["range"] = f"≤ {most}" if least is None else f"≥ {least}"
    return Warning_(each.code, each.field, params)


def _plain(number: float) -> float:
    """15, not 15.0, as people write it."""
    return int(number) if float(number).is_integer() else number


def _in_future(each: Check, values: Values) -> bool:
    day = values.day(each.field)
    return day is not None and day > values.today


def _age_implausible(each: Check, values: Values) -> bool:
    day = values.day(each.field)
    if day is None or day > values.today:
        return False
    return not _within((values.today - day).days / _DAYS_A_YEAR, each)


def _expired(each: Check, values: Values) -> bool:
    day = values.day(each.field)
    return day is not None and day < values.today


def _far_off(each: Check, values: Values) -> bool:
    day, (_, most) = values.day(each.field), _bounds(each)
    return day is not None and most is not None and (day - values.today).days / _DAYS_A_YEAR > most


def _not_after(each: Check, values: Values) -> bool:
    day, other = values.day(each.field), values.day(each.other)
    return day is not None and other is not None and day <= other


def _out_of_range(each: Check, values: Values) -> bool:
    number = values.number(each.field)
    return number is not None and not _within(number, each)


def _year_differs(each: Check, values: Values) -> bool:
    text, day = values.text(each.field), values.day(each.other)
    return day is not None and text[:4].isdigit() and text[:4] != f"{day.year:04}"


def _within(number: float, each: Check) -> bool:
    least, most = _bounds(each)
    return (least is None or number >= least) and (most is None or number <= most)


@dataclass(frozen=True, slots=True)
class Rule:
    """broken: whether values break a check; needs: parameters of which the document file has to give one at least;
    least, most: bounds where it gives none."""

    broken: Callable[[Check, Values], bool]
    needs: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None


RULES: Mapping[str, Rule] = {
    "in_future": Rule(_in_future),
    "age_implausible": Rule(_age_implausible, least=0, most=130),
    "expired": Rule(_expired),
    "far_off": Rule(_far_off, most=100),
    "not_after": Rule(_not_after, needs=("other",)),
    "out_of_range": Rule(_out_of_range, needs=("least", "most")),
    "year_differs": Rule(_year_differs, needs=("other",)),
}

"""The part of a line that has a field's form: `SEXE/SEX M 1,66m` holds a sex, `M`, and a height, 1.66.

OCR confuses 0 with O, D and Q, 1 with I and l, 2 with Z, 5 with S, 8 with B. Inside a group that is mostly digits, and
only there, the letters are read as digits. Nothing is guessed beyond that: a form that is not there is not made up.
"""

import datetime
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ocr_frontend.documents.registry import FieldSpec, Kind

Value = str | float

_TO_DIGIT = str.maketrans("OoDQIil|ZzSsB", "0000111122558")
_TO_LETTER = str.maketrans("01258", "OIZSB")
_D = r"[0-9OoDQIil|ZzSsB]"
_SEPARATOR = r"\s?[.,:;/·\-]?\s?"
_DATE = re.compile(rf"(?=({_D}{{2}}){_SEPARATOR}({_D}{{2}}){_SEPARATOR}({_D}{{4}})(?!\d))")
# Not the M of metres after a number, nor a letter of a word.
_SEX = re.compile(r"(?<![^\W_])(?<!\d )([MF])(?![^\W_])")
_HEIGHT = re.compile(rf"(?<![0-9])(?=([0-2IilO|])\s?([.,:;'mM]?)\s?({_D}{{1,2}})(?![0-9]))")
_CENTIMETRES = re.compile(r"(?<![0-9.,])([12][0-9]{2})\s?cm\b", re.IGNORECASE)
_NIC = re.compile(rf"(?<![^\W_])([A-Z01258]{{2}})\s?({_D}(?:\s?{_D}){{7}})(?![^\W_])")


@dataclass(frozen=True, slots=True)
class Found:
    """A value; `repaired` when letters were read as digits (or the reverse); `exact` when it has the whole form."""

    value: Value
    repaired: bool = False
    exact: bool = True


def fold(text: str) -> str:
    """White space folded to single spaces."""
    return " ".join(text.split())


def find_value(text: str, spec: FieldSpec) -> Found | None:
    """What `text` says for a field of this form, None when it says nothing of the kind.

    A date or a number that is damaged beyond its form comes back as read, with `exact` false.
    """
    text = fold(text)
    if spec.kind is Kind.TEXT:
        return Found(text) if text else None
    found = next(_FINDERS[spec.kind](text, spec), None)
    if found is None and spec.kind not in (Kind.SEX, Kind.HEIGHT):
        return _rough(text)
    return found


def _digits(text: str) -> str | None:
    """`text` with its letters read as digits; None where digits are too few to vouch for them."""
    real = sum(character.isdigit() for character in text)
    return text.translate(_TO_DIGIT) if real and 2 * real >= len(text) else None


def _dates(text: str, _: FieldSpec) -> Iterator[Found]:
    for match in _DATE.finditer(text):
        raw = "".join(match.groups())
        digits = _digits(raw)
        if digits is None or (match.start() and text[match.start() - 1].isdigit()):
            continue
        day, month, year = digits[:2], digits[2:4], digits[4:]
        try:
            datetime.date(int(year), int(month), int(day))
        except ValueError:
            continue
        if "1900" <= year < "2100":
            yield Found(f"{day}.{month}.{year}", digits != raw)


def _sexes(text: str, _: FieldSpec) -> Iterator[Found]:
    if text in ("m", "f"):
        yield Found(text.upper(), True)
    for match in _SEX.finditer(text):
        yield Found(match.group(1))


def _heights(text: str, _: FieldSpec) -> Iterator[Found]:
    for match in _CENTIMETRES.finditer(text):
        yield from _metres(match.group(1)[0], match.group(1)[1:], False)
    for match in _HEIGHT.finditer(text):
        whole, separator, rest = match.groups()
        raw = whole + rest
        glued = text[: match.start()][-1:].isalpha() and not (separator and whole.isdigit())
        if glued or _runs_on(text[match.end(3) :]) or not (separator or len(rest) == 2):
            continue
        if any(character.isdigit() for character in raw):
            digits = raw.translate(_TO_DIGIT)
            yield from _metres(digits[0], digits[1:], digits != raw)


def _runs_on(rest: str) -> bool:
    """A word goes on behind the number; a single `m` is the unit."""
    after = re.match(r"[^\W\d_]+", rest)
    return after is not None and after.group().lower() not in ("m", "mm", "n")


def _metres(whole: str, rest: str, repaired: bool) -> Iterator[Found]:
    height = float(f"{whole}.{rest}")
    if 0.4 <= height <= 2.6:
        yield Found(height, repaired)


def _numbers(text: str, spec: FieldSpec) -> Iterator[Found]:
    for match in re.finditer(rf"(?<![0-9])(?=({_D}(?:\s?{_D}){{{spec.length - 1}}})(?![^\W_]))", text):
        raw = match.group(1).replace(" ", "")
        if text[: match.start()][-1:].isalpha() and not raw[0].isdigit():
            continue  # the tail of a word
        digits = _digits(raw)
        if digits is not None:
            yield Found(digits, digits != raw)


def _nics(text: str, _: FieldSpec) -> Iterator[Found]:
    for match in _NIC.finditer(text):
        number = match.group(2).replace(" ", "")
        digits = _digits(number)
        letters = match.group(1).translate(_TO_LETTER)
        if digits is not None and not match.group(1).isdigit():
            yield Found(letters + digits, letters + digits != match.group(1) + number)


def _rough(text: str) -> Found | None:
    """The words that are mostly digits, as read: one number may have been broken up."""
    words = [word for word in text.split() if _mostly_digits(word)]
    rough = " ".join(words).strip(".,:;/-")
    return Found(rough, exact=False) if sum(character.isdigit() for character in rough) >= 4 else None


def _mostly_digits(word: str) -> bool:
    return 2 * sum(character.isdigit() for character in word) >= len(word)


_FINDERS: dict[Kind, Callable[[str, FieldSpec], Iterator[Found]]] = {
    Kind.DATE: _dates,
    Kind.SEX: _sexes,
    Kind.HEIGHT: _heights,
    Kind.DIGITS: _numbers,
    Kind.NIC: _nics,
}

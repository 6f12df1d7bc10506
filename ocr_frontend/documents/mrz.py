"""The machine-readable zone of the 2025 verso among the OCR lines: three lines of thirty characters, ICAO 9303 part 5.

What stands where is known (`I<CMR`, nine digits, a check digit, two letters and eight digits, fill; birth, sex, expiry,
`CMR`, fill, composite), so a filler read as K, C, L or S does no harm, and a letter read in a digit's place is one of
few digits. A reading counts when its check digits hold: the likeliest one (O is 0, B is 8), else the only one.
"""

import datetime
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ocr_frontend.ocr.textline import TextLine

_WEIGHTS = (7, 3, 1)
_AS_DIGITS = {
    "O": "0", "Q": "09", "D": "0", "I": "1", "L": "1", "|": "1", "Z": "27", "S": "58", "B": "836", "G": "69", "A": "4",
    "T": "71", "U": "0",
}  # fmt: skip
_TO_LETTER = str.maketrans("0158|", "OISBI")
_D = r"[0-9A-Z|]"
_FILL = "<KCLSE("
_UPPER = re.compile(rf"[I1L|][{_FILL}][CG][MN][RP]({_D}{{9}})({_D})([A-Z0158|<]{{2}}[0-9A-Z|<]{{8}}|)")
_LOWER = re.compile(rf"({_D}{{6}})({_D})([MF{_FILL}])({_D}{{6}})({_D})[CG][MN][RP][{_FILL}]*({_D}?)")
_NIC = re.compile(rf"([A-Z0158|]{{2}})({_D}{{8}})")
_MOST_READINGS = 256
_EMPTY = "<" * 10


@dataclass(frozen=True, slots=True)
class Zone:
    """What the zone says. `card_number`, `birth` and `expiry` are None unless their check digits hold.

    holds: the composite check digit holds too, and with it the NIC number ("" where the zone has none). `sex` and the
    names have no check digit. `line` is the index of the OCR line in which the zone begins.
    """

    card_number: str | None
    nic: str | None
    birth: datetime.date | None
    sex: str | None
    expiry: datetime.date | None
    surname: str | None
    given_names: str | None
    holds: bool
    line: int


def check_digit(text: str) -> str:
    """ICAO 9303 part 3, 4.9: digits count as themselves, A-Z as 10-35, `<` as 0; weights 7-3-1; modulo 10."""
    values = (0 if character == "<" else int(character, 36) for character in text)
    return str(sum(value * _WEIGHTS[index % 3] for index, value in enumerate(values)) % 10)


def find_zone(lines: Sequence[TextLine], today: datetime.date | None = None) -> Zone | None:
    """The zone, however its lines were merged or split; None where its first two lines are not both found."""
    texts = [re.sub(r"\s", "", line.text.upper()).replace("«", "<<").replace("‹", "<") for line in lines]
    together = "".join(texts)
    upper = _UPPER.search(together)
    lower = _LOWER.search(together, upper.end()) if upper else None
    if upper is None or lower is None:
        return None
    today = today or datetime.date.today()
    number, birth, expiry = (_checked(*pair) for pair in (upper.group(1, 2), lower.group(1, 2), lower.group(4, 5)))
    nic = _agreed_nic(upper.group(3), lower.group(6), number, birth, expiry)
    surname, given = _names(together[lower.end() :])
    begins = list(itertools.accumulate(map(len, texts)))
    return Zone(
        card_number=number,
        nic=nic,
        birth=_date(birth, today, past=True) if birth else None,
        sex=lower.group(3) if lower.group(3) in ("M", "F") else None,
        expiry=_date(expiry, today, past=False) if expiry else None,
        surname=surname,
        given_names=given,
        holds=nic is not None,
        line=next(index for index, end in enumerate(begins) if end > upper.start()),
    )  # fmt: skip


def _checked(text: str, check: str) -> str | None:
    """The reading of a number, digits only, whose check digit holds."""
    readings = _readings(text + check)
    return _only([r[:-1] for r in readings if check_digit(r[:-1]) == r[-1]], readings[0][:-1] if readings else "")


def _only(fitting: Sequence[str], likeliest: str) -> str | None:
    """The likeliest reading where it fits, else the only one that does."""
    if likeliest in fitting:
        return likeliest
    return fitting[0] if len(set(fitting)) == 1 else None


def _agreed_nic(text: str, check: str, number: str | None, birth: str | None, expiry: str | None) -> str | None:
    """The NIC number where the composite check digit holds over it and all the rest, "" where the zone has none."""
    if number is None or birth is None or expiry is None or not check:
        return None
    before, after = number + check_digit(number), birth + check_digit(birth) + expiry + check_digit(expiry)
    lasts, nics = _readings(check), list(_nics(text))
    fitting = [nic for nic in nics if check_digit(before + (nic or _EMPTY) + "<" * 5 + after + "<" * 11) in lasts]
    return _only(fitting, nics[0]) if nics else None


def _nics(text: str) -> Iterator[str]:
    match = _NIC.fullmatch(text)
    if sum(character.isdigit() for character in text) < 4 or match is None:
        yield ""
        return
    letters = match.group(1).translate(_TO_LETTER)
    for digits in _readings(match.group(2)):
        yield letters + digits


def _readings(text: str) -> list[str]:
    """All digit strings that the text may stand for; none where a letter looks like no digit."""
    choices = [character if character.isdigit() else _AS_DIGITS.get(character, "") for character in text]
    count = 1
    for choice in choices:
        count *= len(choice)
    return ["".join(reading) for reading in itertools.product(*choices)] if count <= _MOST_READINGS else []


def _date(text: str, today: datetime.date, *, past: bool) -> datetime.date | None:
    """`YYMMDD`; a date of birth lies in the past, an expiry in this century."""
    year = 2000 + int(text[:2])
    try:
        found = datetime.date(year, int(text[2:4]), int(text[4:]))
        return found.replace(year=year - 100) if past and found > today else found
    except ValueError:
        return None


def _names(text: str) -> tuple[str | None, str | None]:
    """`SURNAME<<GIVEN<NAMES<<<`; the thirty characters may have cut them."""
    match = re.match(r"([A-Z0158<]+?)<<([A-Z0158<]*)", text[:30])
    if match is None:
        return None, None
    surname, given = (part.translate(_TO_LETTER).replace("<", " ").strip() for part in match.groups())
    return surname or None, given or None

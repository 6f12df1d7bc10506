"""The machine-readable zone of the 2025 verso: three lines of thirty characters, ICAO 9303 part 5 (TD1)."""

from adapters.data.vocabulary import plain

_WEIGHTS = (7, 3, 1)


def check_digit(text: str) -> str:
    """ICAO 9303 part 3, 4.9: digits count as themselves, A-Z as 10-35, `<` as 0; weights 7-3-1; modulo 10."""
    values = (0 if c == "<" else int(c, 36) for c in text)
    return str(sum(value * _WEIGHTS[i % 3] for i, value in enumerate(values)) % 10)


def mrz_name(name: str) -> str:
    """A name as the zone writes it: no accents, no apostrophes, every gap a single filler."""
    letters = plain(name.upper()).replace("'", "").replace("-", " ")
    return "<".join("".join(c for c in part if c.isalnum()) for part in letters.split())


def _yymmdd(date: str | None) -> str:
    """`DD.MM.YYYY` -> `YYMMDD`; an unknown date is fillers."""
    return "<<<<<<" if date is None else date[8:10] + date[3:5] + date[0:2]


def td1(
    *, card: str, nic: str | None, birth: str | None, sex: str, expiry: str | None, surname: str, given: str
) -> tuple[str, str, str]:
    """The three lines; dates are `DD.MM.YYYY`."""
    upper = f"I<CMR{card:<9}{check_digit(card)}{nic or ''}".replace(" ", "<").ljust(30, "<")
    born, ends = _yymmdd(birth), _yymmdd(expiry)
    middle = f"{born}{check_digit(born)}{sex}{ends}{check_digit(ends)}CMR".ljust(29, "<")
    composite = check_digit(upper[5:30] + middle[0:7] + middle[8:15] + middle[18:29])
    names = f"{mrz_name(surname)}<<{mrz_name(given)}"[:30].ljust(30, "<")
    return upper, middle + composite, names

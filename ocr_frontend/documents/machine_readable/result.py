"""What is asked of a machine-readable zone, and what it says."""

import datetime
from dataclasses import dataclass, field
from typing import Literal

Format = Literal["TD1", "TD3"]
Sex = Literal["M", "F"]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a document says about its zone. What is left out may be anything.

    formats: those to look for. states: codes of the issuing state and the nationality, as printed (`CMR`, `D`).
    document_number, optional_data: their shape, one letter a character: `n` a digit, `a` a letter (`aannnnnnnn`). With
    a shape of the optional data, a TD1 has no other (its second line has none).

    A shape tells a letter in a digit's place from a letter. Without it both are given as read, and what is not of
    digits alone holds only where the page prints it beside the zone, too: a letter may be a digit that counts the same.
    """

    formats: tuple[Format, ...] = ("TD1", "TD3")
    states: tuple[str, ...] = ()
    document_number: str | None = None
    optional_data: str | None = None


ANYTHING = Expected()


@dataclass(frozen=True, slots=True)
class MachineReadable:
    """What a zone says.

    lines: the indexes of the OCR lines that it was read from, ascending.
    checked: which check digits hold, by what they stand for: `document_number`, `birth_date`, `expiry_date`,
    `optional_data` (TD3 alone), `composite`. A number or date whose check digit does not hold is None, as is optional
    data without its own (TD3) or the composite (TD1).
    holds: all of them hold, both dates are real ones, no line has more than one substituted character (state, sex and
    document code included, names left out), and no second reading is as good. Only then may a value outrank another
    source's. Sex, nationality and names have no check digit.
    names_truncated: the line was full, so that the names may go on.
    """

    format: Format
    document_code: str
    issuing_state: str
    document_number: str | None
    optional_data: str | None
    birth_date: datetime.date | None
    sex: Sex | None
    expiry_date: datetime.date | None
    nationality: str
    surname: str | None
    given_names: str | None
    lines: tuple[int, ...]
    holds: bool
    checked: frozenset[str] = field(default_factory=frozenset)
    names_truncated: bool = False

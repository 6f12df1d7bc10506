"""Two sides of one card put together: what both tell is compared; two people or two cards are never made into one.

Fields are known by what they are in any document (`surname`, `birth_date`), never by their keys. A zone that holds
outranks the other side; one that does not is only another reading, and where two readings differ, neither is given.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rapidfuzz.distance import Hamming, Levenshtein

from ocr_frontend.documents.types import Value
from ocr_frontend.extraction.same_name import compare_names
from ocr_frontend.extraction.warnings import Warning_

Source = Literal["recto", "verso", "mrz"]
Likeness = Literal["same", "spelled", "close", "different"]
NAMES = ("surname", "given_names")
# Of one card; where one of them differs by more than a misreading, there are two cards.
_CARD = ("document_number", "personal_number", "birth_date", "expiry_date")
_CLOSE = 2  # characters of one value that OCR may misread, leave out or add


@dataclass(frozen=True, slots=True)
class Side:
    """What one side says. values: by key, as answered; normal: dates as ISO 8601; standards: key to what it is."""

    values: Mapping[str, Value | None]
    normal: Mapping[str, Value | None]
    standards: Mapping[str, str]

    def key_of(self, standard: str) -> str | None:
        """The field that is this, None where the side has none."""
        return next((key for key, each in self.standards.items() if each == standard and key in self.values), None)

    def said(self, key: str) -> Value | None:
        """In the form to compare."""
        normal = self.normal.get(key)
        return self.values.get(key) if normal is None else normal


@dataclass(frozen=True, slots=True)
class Mrz:
    """The verso's machine-readable zone. values: by standard, dates as ISO; printed: the same as the card has them."""

    holds: bool
    values: Mapping[str, str]
    printed: Mapping[str, str]
    names_cut: bool = False


@dataclass(slots=True)
class Merged:
    """data: the fields of both in their order, None where they are not of one card; sources: where each was read;
    compared: the fields that both tell."""

    data: dict[str, Value | None] | None
    sources: dict[str, Source] = field(default_factory=dict)
    compared: tuple[str, ...] = ()
    warnings: list[Warning_] = field(default_factory=list)


def merge(recto: Side, verso: Side, mrz: Mrz | None) -> Merged:
    """Both sides of one document of the same version."""
    data = dict(recto.values) | {k: v for k, v in verso.values.items() if recto.values.get(k) is None}
    sources: dict[str, Source] = {k: "recto" if recto.values.get(k) is not None else "verso" for k in data}
    merged = Merged(data, {key: source for key, source in sources.items() if data[key] is not None})
    told = _compared(recto, verso, mrz)
    merged.compared = tuple(dict.fromkeys(key for key, *_ in told))
    parted = [key for key, standard, likeness, _ in told if likeness == "different" and standard in (*NAMES, *_CARD)]
    if parted:
        merged.warnings += [Warning_("sides_differ", key) for key in dict.fromkeys(parted)]
        merged.data, merged.sources = None, {}
        return merged
    for key, standard, likeness, by_mrz in told:
        _settle(merged, key, standard, likeness, mrz if by_mrz else None)
    _fill(merged, recto, mrz)
    _check_issue(merged, recto, verso, mrz)
    both = any(v is not None for v in recto.values.values()) and any(v is not None for v in verso.values.values())
    if both and not told and merged.data is not None:
        merged.warnings.append(Warning_("nothing_compared"))
    return merged


def _compared(recto: Side, verso: Side, mrz: Mrz | None) -> list[tuple[str, str, Likeness, bool]]:
    """Key, standard, likeness, and whether it is the zone that the recto is compared with."""
    told = []
    for key, standard in recto.standards.items():
        mine, other = recto.said(key) if key in recto.values else None, verso.key_of(standard)
        theirs = verso.said(other) if other else None
        if mine is not None and theirs is not None:
            told.append((key, standard, _alike(standard, mine, theirs, cut=False), False))
        in_mrz = mrz.values.get(standard) if mrz else None
        if mine is not None and in_mrz and mrz:
            likeness = _alike(standard, mine, in_mrz, cut=mrz.names_cut)
            if likeness == "different" and standard in _CARD and _of_another_field(mrz, standard, mine):
                likeness = "close"
            told.append((key, standard, likeness, True))
    return told


def _of_another_field(mrz: Mrz, standard: str, value: Value) -> bool:
    """Whether a holding zone has it as something else: then it is of this card, and was taken for the wrong field."""
    others = (each for other, each in mrz.values.items() if other != standard and other in _CARD)
    return mrz.holds and str(value) in others


def _alike(standard: str, one: Value, other: Value, *, cut: bool) -> Likeness:
    if standard in NAMES:
        return compare_names(str(one), str(other), cut=cut)
    mine, theirs = str(one), str(other)
    if mine == theirs:
        return "same"
    if standard not in _CARD:
        return "close"
    distance = Hamming if len(mine) == len(theirs) else Levenshtein
    return "close" if distance.distance(mine, theirs) <= _CLOSE else "different"


def _settle(merged: Merged, key: str, standard: str, likeness: Likeness, mrz: Mrz | None) -> None:
    """One field that both tell. `mrz`: where the zone tells it."""
    assert merged.data is not None
    if likeness == "spelled":
        merged.warnings.append(Warning_("name_spelled_otherwise", key))
    elif likeness != "same" and not (mrz and mrz.holds):
        merged.warnings.append(Warning_("sides_differ", key))
        merged.data[key] = None
        merged.sources.pop(key, None)
    elif mrz and mrz.holds and standard not in NAMES:
        merged.data[key], merged.sources[key] = mrz.printed[standard], "mrz"
        if likeness != "same":
            merged.warnings.append(Warning_("mrz_used", key))


def _fill(merged: Merged, recto: Side, mrz: Mrz | None) -> None:
    """What the recto leaves open and a zone that holds tells; names have no check digit."""
    if mrz is None or not mrz.holds or merged.data is None:
        return
    differ = {warning.about for warning in merged.warnings if warning.code == "sides_differ"}
    for key, standard in recto.standards.items():
        known = key in merged.data and merged.data[key] is None and key not in differ
        if known and standard in mrz.printed and standard not in NAMES:
            merged.data[key], merged.sources[key] = mrz.printed[standard], "mrz"


def _check_issue(merged: Merged, recto: Side, verso: Side, mrz: Mrz | None) -> None:
    """Nobody has a card from before the birth, or one that ended before it was given out: not of one card, then.

    Where the zone's check digits vouch for the other date, it is the date of issue that was misread.
    """
    key = verso.key_of("issue_date")
    issue = _day(verso.said(key)) if key else None
    if key is None or issue is None or merged.data is None:
        return
    vouched = mrz.values if mrz and mrz.holds else {}
    for standard, code in (("birth_date", "issued_before_birth"), ("expiry_date", "issued_after_expiry")):
        other = recto.key_of(standard)
        day = _day(vouched.get(standard) or (recto.said(other) if other else None))
        if day is None or (day < issue if standard == "birth_date" else issue < day):
            continue
        merged.warnings.append(Warning_(code, key))
        if standard not in vouched:
            merged.data, merged.sources = None, {}
            return
        merged.data[key] = None
        merged.sources.pop(key, None)


def _day(value: Value | None) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(str(value))
    except ValueError:
        return None

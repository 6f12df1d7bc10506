"""Whether labels stand on a picture in the order in which a document prints them: forms list them otherwise."""

from collections.abc import Sequence
from itertools import combinations

from ocr_frontend.documents.labels import joined, labels_in
from ocr_frontend.ocr.orientation import levelled
from ocr_frontend.ocr.textline import TextLine

# How far down each label stands between the first and the last, as read on 960 drawn cards (medians).
DOWN: dict[str, dict[str, float]] = {
    "cni-2018-recto": {
        "republic": 0.0, "surname": 0.11, "given names": 0.25, "title": 0.4, "birth": 0.4, "birth place": 0.55,
        "height": 0.69, "sex": 0.69, "occupation": 0.84, "signature": 1.0,
    },
    "cni-2018-verso": {
        "father": 0.0, "mother": 0.1, "authority": 0.21, "S.P./S.M.": 0.22, "issue": 0.32, "address": 0.37,
        "post": 0.39, "expiry": 0.43, "unique identifier": 0.58, "republic": 1.0,
    },
    "cni-2025-recto": {
        "republic": 0.0, "surname": 0.58, "given names": 0.68, "birth": 0.78, "sex": 0.88, "expiry": 0.88,
        "holder's signature": 1.0, "signature": 1.0,
    },
    "cni-2025-verso": {
        "father": 0.0, "father's name": 0.0, "mother's name": 0.17, "mother": 0.17, "birth place": 0.34,
        "occupation": 0.5, "issue": 0.67, "NIC number": 0.67, "height": 0.84, "LE DGSN": 1.0,
    },
}  # fmt: skip
_APART = 0.08  # of the way down; labels closer than that may stand either way round
_ONE_ROW = 2.0  # pixels
_FEWEST_PAIRS = 4
_IN_ORDER = 0.75  # of the pairs; drawn cards have 0.93 or more, labels in any order about a half


def in_place(document: str, lines: Sequence[TextLine]) -> bool:
    """True where the labels that were read stand as the document prints them, or are too few to tell."""
    printed = DOWN[document]
    found: dict[str, float] = {}
    for line in levelled(lines):
        for name in labels_in(joined([line.text])).names & printed.keys():
            found.setdefault(name, sum(y for _, y in line.box) / 4)
    pairs = [
        (a, b)
        for a, b in combinations(found, 2)
        if abs(printed[a] - printed[b]) >= _APART and abs(found[a] - found[b]) >= _ONE_ROW
    ]
    if len(pairs) < _FEWEST_PAIRS:
        return True
    held = sum((found[a] < found[b]) == (printed[a] < printed[b]) for a, b in pairs)
    return held >= _IN_ORDER * len(pairs)

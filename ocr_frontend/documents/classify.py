"""Which document a picture shows, by its labels and its layout; no model is asked.

Every label that was read and that a document prints speaks for it, every other one against it. A label that is missing
says little: photos are cut and OCR loses lines.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ocr_frontend.documents.label_order import in_place
from ocr_frontend.documents.labels import Labels, joined, labels_in
from ocr_frontend.documents.registry import DOCUMENTS, Document
from ocr_frontend.documents.reject_rules import foreign_kind
from ocr_frontend.ocr.orientation import levelled
from ocr_frontend.ocr.textline import TextLine


def _labels(*names: str) -> frozenset[str]:
    return frozenset(name for row in names for name in row.split(", "))


PRINTED = {
    "cni-2018-recto": _labels(
        "republic, title, surname, given names, birth, birth place, sex, height, occupation, signature"
    ),
    "cni-2018-verso": _labels(
        "republic, father, mother, S.P./S.M., address, authority, issue, post, expiry, unique identifier"
    ),
    "cni-2025-recto": _labels(
        "republic, surname, given names, birth, sex, expiry, signature, holder's signature"
    ),
    "cni-2025-verso": _labels(
        "father, mother, father's name, mother's name, birth place, occupation, issue, NIC number, height, LE DGSN"
    ),
}  # fmt: skip
NO_LABELS = "No labels of a Cameroonian identity card were read on it."
TOO_FEW = "Too few labels of a Cameroonian identity card were read on it."
OTHERS = "It has labels that no Cameroonian identity card has together."
OUT_OF_PLACE = "Its labels do not stand as on a Cameroonian identity card."
_AT_LEAST = 4  # labels; fewer may be part of names and places
_EACH_LANGUAGE = 2  # labels: the cards are bilingual, most forms are not
_OF_OTHERS = 1 / 3  # labels that the document does not print, to one that it prints
_AGAINST = 1.5  # times what a label of the document counts
_MARGIN = 1.0  # by which the best document must lead
_ZONE_SCORE = 3.0  # the zone is as good as three labels
_NUMBER = re.compile(r"\d{9}")
_ZONE = re.compile(r"[I1L|][<KCLS]CMR.{20}")


@dataclass(frozen=True, slots=True)
class Detection:
    """`document` is None when the picture shows none of them, or not clearly which; `reason` then says why.

    `sure_none` when it is clearly something else, rather than a card that can hardly be read.
    """

    document: Document | None
    reason: str = ""
    sure_none: bool = False


def detect(lines: Sequence[TextLine]) -> Detection:
    """The document that the lines were read from."""
    texts = [line.text for line in lines]
    kind = foreign_kind(texts)
    if kind is not None:
        return Detection(None, f"It looks like {kind}.", sure_none=True)
    found = labels_in(joined(texts))
    layout = _layout(lines)
    if not found.names:
        return Detection(None, NO_LABELS, sure_none=True)
    scores = {name: _score(found.names, printed) + layout[name] for name, printed in PRINTED.items()}
    best, second = sorted(scores, key=lambda name: -scores[name])[:2]
    reason = _doubt(best, found, layout[best] >= _ZONE_SCORE - 1, lines)
    if reason is None and scores[best] - scores[second] < _MARGIN:
        reason = f"It may be {best} or {second}."
    return Detection(DOCUMENTS[best]) if reason is None else Detection(None, reason)


def _doubt(best: str, found: Labels, zone: bool, lines: Sequence[TextLine]) -> str | None:
    """Why the picture may show none of the documents. `zone`: the machine-readable zone speaks for the best one."""
    ours = len(found.names & PRINTED[best])
    if len(found.names) - ours > _OF_OTHERS * ours + zone:
        return OTHERS
    if not zone and (ours < _AT_LEAST or min(found.french, found.english) < _EACH_LANGUAGE):
        return TOO_FEW
    return None if in_place(best, lines) else OUT_OF_PLACE


def _score(found: frozenset[str], printed: frozenset[str]) -> float:
    return len(found & printed) - _AGAINST * len(found - printed)


def _layout(lines: Sequence[TextLine]) -> dict[str, float]:
    """What speaks for a document beside its labels: the zone, the shape, the place of the nine-digit number."""
    scores = dict.fromkeys(PRINTED, 0.0)
    if any(_ZONE.search(re.sub(r"\s", "", line.text.upper())) for line in lines):
        scores["cni-2025-verso"] += _ZONE_SCORE
    shape = _shape(lines)
    for name in PRINTED:
        scores[name] += shape if name.startswith("cni-2018") else -shape
    rows = [index for index, line in enumerate(lines) if _NUMBER.fullmatch(line.text.strip())]
    if len(rows) == 1:
        scores["cni-2025-recto" if 3 * rows[0] < len(lines) else "cni-2018-verso"] += 1
    return scores


def _shape(lines: Sequence[TextLine]) -> float:
    """0.5 where the lines fill a landscape rectangle, -0.5 a portrait one, 0 where it is neither clearly."""
    if len(lines) < 4:
        return 0.0
    corners = [corner for line in levelled(lines) for corner in line.box]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    width, height = max(xs) - min(xs), max(ys) - min(ys)
    return 0.5 if width > 1.15 * height else -0.5 if height > 1.15 * width else 0.0

"""How one value is judged.

ANLS*: Peer et al. 2024, arXiv 2402.03848 (normalised Levenshtein similarity, 0 below one half; null matches only null).
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations

from rapidfuzz.distance import Levenshtein

from adapters.data.documents import FieldType, forms_in

Value = str | float | None
_HALF = 0.5


@dataclass(frozen=True)
class Judgement:
    """One field of one card. `ceiling`: the OCR text holds the true value exactly (a null always counts as held).

    alone: what the model itself said was exactly right, before the front's rules and the machine-readable zone.
    confidence, evidence: as the front answered them; None where it gave none.
    """

    field: str
    shown: bool
    exact: bool
    normalised: bool
    errors: int
    length: int
    anls: float
    ceiling: bool
    invented: bool
    alone: bool = False
    confidence: float | None = None
    evidence: Mapping[str, float] | None = None


def judge(field: str, kind: FieldType, truth: str | None, found: Value, lines: Sequence[str]) -> Judgement:
    """Judge `found` against `truth`, given the OCR's lines."""
    answer = written(kind, found)
    both = truth or "", answer or ""
    return Judgement(
        field=field,
        shown=truth is not None,
        exact=answer == truth,
        normalised=(answer is None) == (truth is None) and normalise(both[0]) == normalise(both[1]),
        errors=Levenshtein.distance(*both),
        length=len(both[0]),
        anls=likeness(truth, answer),
        ceiling=truth is None or readable(kind, truth, lines),
        invented=answer is not None and not stands(kind, answer, lines),
    )


def written(kind: FieldType, value: Value) -> str | None:
    """A value as text; a height with two decimals, as the truth has it."""
    if value is None:
        return None
    if kind == "height":
        try:
            return f"{float(value):.2f}"
        except ValueError:
            return str(value)
    return str(value)


def normalise(text: str) -> str:
    """Case, accents, punctuation and white space folded away."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[\W_]+", "", "".join(c for c in plain if not unicodedata.combining(c)))


def readable(kind: FieldType, truth: str, lines: Sequence[str]) -> bool:
    """Whether the OCR read the true value exactly: in one line, over two lines that follow each other, or as two whole
    lines that another column's lines came between.
    """
    if kind == "height":
        wanted = truth.replace(".", "")
        return any(re.sub(r"\D", "", form) == wanted for line in lines for form in forms_in(kind, line))
    folded = [" ".join(line.split()) for line in lines]
    pairs = [f"{one} {two}" for one, two in pairwise(folded)]
    whole = (f"{one} {two}" for one, two in permutations([line for line in folded if line and line in truth], 2))
    return any(truth in text for text in [*folded, *pairs]) or truth in whole


def stands(kind: FieldType, answer: str, lines: Sequence[str]) -> bool:
    """Whether an answer stands in the OCR text, blanks, case and accents aside; typed values also by their digits."""
    body = normalise(" ".join(lines))
    if kind == "text":
        return normalise(answer) in body
    wanted = _confusable(normalise(answer))
    return wanted in _confusable(body)


def _confusable(text: str) -> str:
    """Characters that OCR takes for each other in digits, made equal."""
    return text.translate(str.maketrans("oqdilzsb", "00011258")).replace("|", "1")


def likeness(truth: str | None, answer: str | None) -> float:
    if truth is None or answer is None:
        return float(truth is answer)
    similarity = float(Levenshtein.normalized_similarity(truth, answer))
    return similarity if similarity >= _HALF else 0.0

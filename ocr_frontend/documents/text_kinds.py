"""What a text is by its letters alone: a surname, given names, a whole name, a place or a trade.

A multinomial logistic regression over hashed runs of two and three letters (Weinberger et al. 2009, arXiv 0902.2206),
as `python -m adapters kinds` wrote it. It knows letters, no list of names: of texts in words that it has never seen it
tells persons, places and trades apart in about nine of ten.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from math import exp, log
from pathlib import Path

from ocr_frontend.documents.letters import spelt

SHIPPED = Path(__file__).with_name("text_kinds.json")
KINDS = ("surname", "given", "full", "place", "work")
BUCKETS, SHORTEST, LONGEST = 1024, 2, 3
# By what a field is in any document; persons' names are one group: which of them it is says less.
OF_STANDARD: Mapping[str, str] = {
    "surname": "surname", "given_names": "given", "father": "full", "mother": "full", "authority": "full",
    "birth_place": "place", "occupation": "work",
}  # fmt: skip
_PERSONS = ("surname", "given", "full")
_LEAST = 1e-4


class Kinds:
    """By kind: a weight a bucket, in hundredths, and a bias."""

    def __init__(self, weights: Mapping[str, Sequence[int]], biases: Mapping[str, float]) -> None:
        self._weights = {kind: tuple(each / 100 for each in weights[kind]) for kind in KINDS}
        self._biases = {kind: biases[kind] for kind in KINDS}

    def shares(self, text: str) -> dict[str, float]:
        """How likely the text is of each kind; they add up to 1."""
        found = buckets(text)
        size = len(found) ** -0.5 if found else 0.0
        scores = {
            kind: self._biases[kind] + size * sum(weights[bucket] for bucket in found)
            for kind, weights in self._weights.items()
        }
        highest = max(scores.values())
        odds = {kind: exp(score - highest) for kind, score in scores.items()}
        total = sum(odds.values())
        return {kind: each / total for kind, each in odds.items()}

    def features(self, text: str, standard: str) -> dict[str, float]:
        """What the text says for a field of that standard and against it, as logarithms; nothing of other fields."""
        own = OF_STANDARD.get(standard)
        if own is None:
            return {}
        shares = self.shares(text)
        groups = {"work": shares["work"], "place": shares["place"], "person": sum(shares[kind] for kind in _PERSONS)}
        group = "person" if own in _PERSONS else own
        return {
            "kind": _log(groups[group]),
            "kind_exact": _log(shares[own]),
            "kind_rival": _log(max(share for name, share in groups.items() if name != group)),
        }


def buckets(text: str) -> list[int]:
    """The hashed runs of letters of a text, spaces at both ends."""
    whole = f" {spelt(text)} "
    runs = (whole[at : at + n] for n in range(SHORTEST, LONGEST + 1) for at in range(len(whole) - n + 1))
    return [zlib.crc32(run.encode()) % BUCKETS for run in runs]


@cache
def shipped_kinds() -> Kinds:
    """Those of the package."""
    body = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return Kinds(body["weights"], body["biases"])


def _log(share: float) -> float:
    return log(max(share, _LEAST))

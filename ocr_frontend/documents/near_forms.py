"""Which of a document's label forms may stand in a line: the quick look before the exact one.

A label in both languages has hundreds of forms, of wordings taken in pairs. A pair that is so like the line has a half
that is as like it, so only the pairs of near halves are looked at.
"""

import bisect
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from rapidfuzz import fuzz, process

from ocr_frontend.documents.label_search import fewest_letters

_CLOSE = 80.0  # rapidfuzz's partial ratio, below which a form is not looked at any closer
_HALF = 75.0  # of a pair's better half, which edits hit as they fall


class NearForms:
    """forms: as letters; parts: the two halves of those that are pairs."""

    def __init__(self, forms: Iterable[str], parts: Mapping[str, tuple[str, str]]) -> None:
        self._pairs_of = defaultdict[str, list[str]](list)
        for pair, halves in parts.items():
            for half in dict.fromkeys(halves):
                self._pairs_of[half].append(pair)
        singles = {form for form in forms if form not in parts} | set(self._pairs_of)
        self._singles = sorted(singles, key=len, reverse=True)
        self._own = frozenset(forms)
        # In their order, the negative of how many letters each needs at least.
        self._needed = [-fewest_letters(form) for form in self._singles]

    def to(self, plain: str) -> list[str]:
        """Those that may stand in these letters, the longest first."""
        halves = _close(plain, self._short_enough(plain), _HALF)
        wider = [form for half in halves for form in self._pairs_of.get(half, ())]
        fitting = [form for form in {*halves, *wider} if form in self._own and fewest_letters(form) <= len(plain)]
        return sorted(_close(plain, fitting, _CLOSE), key=len, reverse=True)

    def _short_enough(self, plain: str) -> Sequence[str]:
        """The forms that may stand in so many letters, edits counted."""
        return self._singles[bisect.bisect_left(self._needed, -len(plain)) :]


def _close(plain: str, forms: Iterable[str], cutoff: float) -> list[str]:
    return [
        form for form, _, _ in process.extract(plain, forms, scorer=fuzz.partial_ratio, score_cutoff=cutoff, limit=None)
    ]

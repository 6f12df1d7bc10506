"""Reading the labels that documents print in OCR text that has lost blanks, signs, accents and letters.

Labels are compared as whole words: TAILLEUR is no TAILLE. Where OCR has glued words together, a label may end where
the next one begins. Distances are rapidfuzz's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

from ocr_frontend.documents.letters import has_number, letters, tokens
from ocr_frontend.documents.wording import JOINTS, Label

_LETTERS_AN_EDIT = 5  # of a label: so many letters for each one that OCR may get wrong
_LETTERS_A_WORD = 8  # a shorter label is read to the letter: PATRICE is no PATRIE
# A whole line so like a label, 1 less the edits a letter, is that label. Of 6,900 names, places and trades one reaches
# 0.7 (PROFESSEUR), none 0.65 of a label of twelve letters. Shorter labels than eight letters are like too much.
_LONG, _SHORTER, _LIKE_LONG, _LIKE_SHORTER = 12, 8, 0.65, 0.75
_CLOSE = 80.0  # rapidfuzz's partial ratio, below which a form is not looked at any closer


@dataclass(frozen=True, slots=True)
class Reading:
    """What a line says in terms of labels.

    hits: for each label in it, the names that it may have (several documents may print it), and its languages;
    bare: nothing else stands in it; rest: what stands behind the labels that the line begins with; head: what stands
    before the labels that it goes on with;
    damaged: the names of the label that the whole line is, where OCR has damaged it beyond reading.
    """

    hits: tuple[tuple[frozenset[str], str], ...] = ()
    bare: bool = False
    rest: str = ""
    head: str = ""
    damaged: frozenset[str] = frozenset()

    @property
    def labels(self) -> frozenset[str]:
        """The names of all labels in the line."""
        return frozenset().union(*(names for names, _ in self.hits))


EMPTY = Reading()


class LabelBook:
    """The labels of one document, or of several that may be mistaken for each other. Built once a document."""

    def __init__(self, labels: Iterable[Label]) -> None:
        self.labels = tuple(labels)
        self._of: dict[str, frozenset[str]] = {}
        self._language: dict[str, str] = {}
        for label in self.labels:
            for form in (*label.forms, *label.pairs):
                self._of[form] = self._of.get(form, frozenset()) | {label.name}
                self._language.setdefault(form, label.languages.get(form, "both"))
        self._forms = sorted(self._of, key=len, reverse=True)
        self._longer = [form for form in self._forms if len(form) >= _SHORTER]
        self._pairs = frozenset(pair for label in self.labels for pair in label.pairs)

    def read(self, text: str) -> Reading:
        """The labels in one line of OCR text."""
        words = tokens(text)
        plain = "".join(word for word, _, _ in words)
        if not plain or not self._forms:
            return EMPTY
        near = process.extract(plain, self._forms, scorer=fuzz.partial_ratio, score_cutoff=_CLOSE, limit=None)
        forms = sorted((form for form, _, _ in near), key=len, reverse=True)
        found, before, ends, free = self._segments(plain, _bounds(words), forms)
        alone = bool(found) and free <= len(plain) // 8
        bare = alone and not has_number(text)
        kept = found if alone or self._trusted(found, text) else []
        return Reading(
            hits=tuple((self._of[form], self._language[form]) for form in kept),
            bare=bare,
            rest=_behind(text, words, ends) if kept and not bare and ends else "",
            head=_before(text, words, before) if kept and not bare and before else "",
            damaged=frozenset() if kept else self._damaged(plain),
        )

    def _damaged(self, plain: str) -> frozenset[str]:
        best = process.extractOne(
            plain, self._longer, scorer=Levenshtein.normalized_similarity, score_cutoff=_LIKE_LONG
        )
        if best is None or (len(best[0]) < _LONG and best[1] < _LIKE_SHORTER):
            return frozenset()
        return self._of[best[0]]

    def _trusted(self, found: Sequence[str], text: str) -> bool:
        """Among other words a label counts in both languages, or with a colon: SANS PROFESSION is a trade."""
        if any(form in self._pairs for form in found):
            return True
        return bool(found) and ":" in text and letters(text.partition(":")[0]) == found[0]

    def _segments(self, plain: str, bounds: frozenset[int], forms: Sequence[str]) -> tuple[list[str], int, int, int]:
        """The labels from left to right, the letters before them, where those that begin the line end, and the letters
        of none."""
        found: list[str] = []
        at, before, leading, free, after_label = 0, 0, 0, 0, True
        while at < len(plain):
            match = self._at(plain, at, bounds, forms) if at in bounds or after_label else None
            if match is None:
                if after_label and plain[at] in JOINTS and found and at not in bounds:
                    at += 1
                    continue
                step = next(bound for bound in sorted(bounds) if bound > at)
                free, at, after_label = free + step - at, step, False
                continue
            form, length = match
            if not found:
                before = at
            if not free:
                leading = at + length
            found.append(form)
            at, after_label = at + length, True
        return found, before, leading, free

    def _at(self, plain: str, at: int, bounds: frozenset[int], forms: Sequence[str]) -> tuple[str, int] | None:
        """The form that begins here, ends where a word or another label does, and accounts for most letters."""
        best: tuple[int, str, int] | None = None
        for form in forms:
            allowed = len(form) // _LETTERS_AN_EDIT if len(form) >= _LETTERS_A_WORD else 0
            for length in range(len(form) - allowed, min(len(form) + allowed, len(plain) - at) + 1):
                edits = Levenshtein.distance(plain[at : at + length], form, score_cutoff=allowed)
                if edits > allowed or (best is not None and length - 2 * edits <= best[0]):
                    continue
                if at + length in bounds or self._another(plain, at + length, forms):
                    best = (length - 2 * edits, form, length)
        return None if best is None else best[1:]

    def _another(self, plain: str, at: int, forms: Sequence[str]) -> bool:
        """Whether glued words go on with another label."""
        rests = (plain[at:], plain[at + 1 :] if plain[at] in JOINTS else "")
        return any(rest.startswith(form) for form in forms for rest in rests if rest)


def _bounds(words: Sequence[tuple[str, int, int]]) -> frozenset[int]:
    """Where words begin or end in the glued letters."""
    at, found = 0, {0}
    for word, _, _ in words:
        at += len(word)
        found.add(at)
    return frozenset(found)


def _behind(text: str, words: Sequence[tuple[str, int, int]], letters_before: int) -> str:
    """What stands in the text behind so many of its letters."""
    passed = 0
    for word, _, end in words:
        passed += len(word)
        if passed >= letters_before:
            return text[end:].strip(" /:.-–,;)|")
    return ""


def _before(text: str, words: Sequence[tuple[str, int, int]], letters_before: int) -> str:
    """What stands in the text before so many of its letters are passed."""
    passed = 0
    for word, begin, _ in words:
        if passed >= letters_before:
            return text[:begin].strip(" /:.-–,;(|")
        passed += len(word)
    return ""

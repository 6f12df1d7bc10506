"""Reading the labels that documents print in OCR text that has lost blanks, signs, accents and letters."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from ocr_frontend.documents.abbreviations import Abbreviations
from ocr_frontend.documents.label_parts import a_word, bounds, numbers_between, set_apart, text_before, text_behind
from ocr_frontend.documents.label_search import Found, find_labels
from ocr_frontend.documents.letters import has_number, letters, tokens
from ocr_frontend.documents.near_forms import NearForms
from ocr_frontend.documents.spec import DocumentSpec, Printed
from ocr_frontend.documents.wording import Fields, Label, labels, printed_on

# A whole line so like a label, 1 less the edits a letter, is that label. Of 6,900 names, places and trades one reaches
# 0.7 (PROFESSEUR), none 0.65 of a label of twelve letters. Shorter labels than eight letters are like too much.
_LONG, _SHORTER, _LIKE_LONG, _LIKE_SHORTER = 12, 8, 0.65, 0.75
_DOCUMENTS = 64  # whose books are kept
# What OCR makes of one behind a label whose other language stands below.
_STROKE = re.compile(r"(?:\s+|(?<=[^\W\d_]{4}))[Il1|]$")
_NUMBERED = re.compile(r"^\s*\d{1,2}\s?[.):]?\s+(?=\D)")


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
    """The labels of one document, or of several that may be mistaken for each other. It keeps nothing that it reads."""

    def __init__(self, labels: Iterable[Label]) -> None:
        self.labels = tuple(labels)
        self._of: dict[str, frozenset[str]] = {}
        self._language: dict[str, str] = {}
        for label in self.labels:
            for form in (*label.forms, *label.pairs, *label.swapped):
                self._of[form] = self._of.get(form, frozenset()) | {label.name}
                self._language.setdefault(form, label.languages.get(form, "both"))
        self._forms = sorted(self._of, key=len, reverse=True)
        swapped = {form for label in self.labels for form in label.swapped}  # so many that a trade is like one of them
        self._longer = [form for form in self._forms if len(form) >= _SHORTER and form not in swapped]
        parts = {pair: two for label in self.labels for pair, two in label.parts.items()}
        self._near, self._pairs = NearForms(self._forms, parts), frozenset(parts)
        phrases = (form for label in self.labels for form in label.phrases)
        self._phrases = frozenset(form for form in phrases if len(form) >= _SHORTER)
        # No field is missed where these are not seen in a line, and a trade may end so: OFFICIER D'ETAT CIVIL.
        self._leading = frozenset(form for label in self.labels if label.optional for form in label.phrases)
        self._short = Abbreviations(self.labels)
        glued = {pair for pair in self._pairs if len(pair) >= _SHORTER}
        self._glueable = frozenset(glued | {form for form in self._phrases if len(form) >= _LONG})
        self._glued_lengths = sorted(set(map(len, self._glueable)))

    def read(self, text: str, *, inline: bool = False) -> Reading:
        """The labels in one line of OCR text. A label's own number (`5. LIEU DE NAISSANCE`) is left out.

        inline: on a page that prints values behind their labels, where one that begins a line counts by itself."""
        text = _NUMBERED.sub("", text)
        found = self._read(text, inline)
        if found.bare or (shorter := _STROKE.sub("", text)) == text:
            return found
        without = self._read(shorter, inline)
        return without if without.bare else found

    def _read(self, text: str, inline: bool) -> Reading:
        words = tokens(text)
        plain = "".join(word for word, _, _ in words)
        if not plain or not self._forms:
            return EMPTY
        between = numbers_between(text, words)
        found = find_labels(plain, bounds(words) | self._glued(plain), self._near.to(plain), between)
        behind = text_behind(text, words, found.leading) if found.leading else ""
        alone = bool(found.forms) and found.free <= len(plain) // 8 and not a_word(behind)
        begins = inline and bool(behind) and found.before == 0
        kept = found.forms if alone or begins or self._trusted(found, text) or set_apart(text, behind) else []
        if inline and not kept and (short := self._short.before(text)) is not None:
            return Reading(hits=((short[0], "both"),), rest=short[1])
        if not kept and (shortened := self._shortened(text)) is not None:
            return shortened
        ends = bool(kept) and text.rstrip().endswith(":")  # a value would stand behind
        bare = (alone or ends) and not has_number(text)
        return Reading(
            hits=tuple((self._of[form], self._language[form]) for form in kept),
            bare=bare,
            rest=behind if kept and not bare else "",
            head=text_before(text, words, found.before) if kept and not bare else "",
            damaged=frozenset() if kept else self._damaged(plain),
        )

    def _glued(self, plain: str) -> frozenset[int]:
        """Where a label in both languages or of several words ends that the line begins with: no name begins so, a gap
        was lost."""
        return frozenset(length for length in self._glued_lengths if plain[:length] in self._glueable)

    def _shortened(self, text: str) -> Reading | None:
        """A label with words cut short: the whole line, or what stands before a colon."""
        if not has_number(text) and (names := self._short.read(text)):
            return Reading(damaged=names)
        before, colon, behind = text.partition(":")
        names = self._short.read(before) if colon and behind.strip() else frozenset()
        return Reading(hits=((names, "both"),), rest=behind.strip()) if names else None

    def _damaged(self, plain: str) -> frozenset[str]:
        best = process.extractOne(
            plain, self._longer, scorer=Levenshtein.normalized_similarity, score_cutoff=_LIKE_LONG
        )
        if best is None or (len(best[0]) < _LONG and best[1] < _LIKE_SHORTER):
            return frozenset()
        return self._of[best[0]]

    def _trusted(self, found: Found, text: str) -> bool:
        """Among other words a label counts in both languages, of several words, twice, or with a colon: SANS
        PROFESSION is a trade."""
        phrases = self._phrases if found.before == 0 else self._phrases - self._leading
        forms = found.forms
        if any(form in self._pairs or form in phrases for form in forms) or self._twice(forms, text):
            return True
        return bool(forms) and ":" in text and letters(text.partition(":")[0]) == forms[0]

    def _twice(self, found: Sequence[str], text: str) -> bool:
        """Whether one label stands on both sides of a stroke: PROFESSION/PROFESSION, as some print it."""
        return len(found) == 2 and "/" in text and bool(self._of[found[0]] & self._of[found[1]])


def book_of(spec: DocumentSpec) -> LabelBook:
    """The labels of a document. Made once for what it prints: its hundreds of pairs take ten milliseconds and more."""
    return _book(*printed_on(spec))


@lru_cache(maxsize=_DOCUMENTS)
def _book(fields: Fields, others: tuple[Printed, ...], static: tuple[str, ...]) -> LabelBook:
    return LabelBook(labels(fields, others, static))

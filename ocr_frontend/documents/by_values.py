"""Which document a picture shows where its values can be read and its small labels cannot, as on blurred photographs.

What says so is the state that issues it, or a value whose form no other document's has, and most of the values that
have a form of their own: a day, a height and a letter for the sex, or two days and numbers of nine and seventeen
digits. It is a guess, which the answer says.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from rapidfuzz import fuzz

from ocr_frontend.documents.clues import number_stands, proof_of
from ocr_frontend.documents.letters import letters
from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.documents.types import ValueType
from ocr_frontend.ocr.textline import TextLine

_FEWEST = 3  # values
_MISSING = 1  # of the document's that were not read
_NAMED = 80  # how alike, of 100, a state's name in the title must be
_LEAST = 6  # letters of a line that may name it
_NUMBER = re.compile(r"\d{5,}")


def told_by_values(specs: Iterable[DocumentSpec], lines: Sequence[TextLine]) -> DocumentSpec | None:
    """The one document whose values stand in the lines; None where it is none, or one of several."""
    found = [spec for spec in specs if _tells(spec, lines)]
    return found[0] if len(found) == 1 else None


def _tells(spec: DocumentSpec, lines: Sequence[TextLine]) -> bool:
    wanted = [field.type for field in spec.fields if not field.type.free]
    if len(wanted) < _FEWEST:
        return False
    standing = {kind: [n for n, line in enumerate(lines) if _value(kind, line.text)] for kind in set(wanted)}
    if any(len(found) > wanted.count(kind) for kind, found in standing.items()) or _stranger(wanted, lines):
        return False
    if spec.recognise.number and not number_stands(lines, spec):
        return False
    read = [n for found in standing.values() for n in found]
    if len(read) < max(_FEWEST, len(wanted) - _MISSING):
        return False
    proof = proof_of(spec)
    return bool(proof and standing.get(proof.type)) or _titled(spec, lines[: min(read)])


def _ends(text: str) -> Iterator[str]:
    """What a line may say behind a label that cannot be read: all of it, its last word, its last two."""
    words = text.split()
    yield from dict.fromkeys(" ".join(part) for part in (words, words[-1:], words[-2:]) if part)


def _value(kind: ValueType, text: str) -> bool:
    """Whether a line is, or ends in, a value of this form, to the letter."""
    for end in _ends(text):
        found = kind.find(end)
        if found is not None and found.exact and not found.repaired and len(end) <= len(str(found.value)) + 3:
            return True
    return False


def _stranger(wanted: Sequence[ValueType], lines: Sequence[TextLine]) -> bool:
    """Whether a number stands alone that the document does not print."""
    alone = (line.text.strip() for line in lines)
    return any(_NUMBER.fullmatch(text) and not any(kind.holds(text) for kind in wanted) for text in alone)


def _titled(spec: DocumentSpec, above: Sequence[TextLine]) -> bool:
    """Whether the state's name stands in the lines above every value, as it was read."""
    title = [text for line in above if len(text := letters(line.text)) >= _LEAST]
    return any(fuzz.partial_ratio(issuer, text) >= _NAMED for text in title for issuer in spec.recognise.issuers)

"""Which document a picture shows where its values can be read and its small labels cannot, as on blurred photographs.

What says so is the state that issues it, or a value whose form no other document's has, and most of the values that
have a form of their own: a day, a height and a letter for the sex, or two days and numbers of nine and seventeen
digits. It is a guess, which the answer says.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from rapidfuzz import fuzz

from ocr_frontend.documents.clues import number_stands
from ocr_frontend.documents.letters import letters
from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.documents.types import ValueType
from ocr_frontend.ocr.textline import TextLine

_FEWEST = 3  # values
_MISSING = 1  # of the document's that were not read
_NAMED = 80  # how alike, of 100, a state's name in the title must be
_NUMBER = re.compile(r"\d{5,}")


def told_by_values(specs: Iterable[DocumentSpec], lines: Sequence[TextLine]) -> DocumentSpec | None:
    """The one document whose values stand in the lines; None where it is none, or one of several."""
    found = [spec for spec in specs if _tells(spec, lines)]
    return found[0] if len(found) == 1 else None


def _tells(spec: DocumentSpec, lines: Sequence[TextLine]) -> bool:
    wanted = [field.type for field in spec.fields if not field.type.free]
    if len(wanted) < _FEWEST:
        return False
    standing = {kind: sum(_value(kind, line.text) for line in lines) for kind in set(wanted)}
    if any(standing[kind] > wanted.count(kind) for kind in standing) or _stranger(wanted, lines):
        return False
    if spec.recognise.number and not number_stands(lines, spec):
        return False
    read = sum(standing.values())
    return read >= max(_FEWEST, len(wanted) - _MISSING) and (_proof(spec, lines) or _titled(spec, lines))


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


def _proof(spec: DocumentSpec, lines: Sequence[TextLine]) -> bool:
    field = spec.field(spec.recognise.proof) if spec.recognise.proof else None
    return field is not None and any(_value(field.type, line.text) for line in lines)


def _titled(spec: DocumentSpec, lines: Sequence[TextLine]) -> bool:
    """Whether the state's name stands above every value, as it was read."""
    kinds = [field.type for field in spec.fields if not field.type.free]
    first = next((n for n, line in enumerate(lines) if any(_value(kind, line.text) for kind in kinds)), len(lines))
    title = [letters(line.text) for line in lines[:first]]
    issuers = spec.recognise.issuers
    return any(fuzz.partial_ratio(issuer, text) >= _NAMED for text in title for issuer in issuers if len(text) >= 6)

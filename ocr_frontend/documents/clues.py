"""What speaks for a document beside its labels: zone, states, a number without a label, the shape of the page."""

import re
from collections.abc import Collection, Sequence

from rapidfuzz.distance import Levenshtein

from ocr_frontend.documents.letters import letters
from ocr_frontend.documents.spec import DocumentSpec, FieldSpec
from ocr_frontend.ocr.orientation import levelled
from ocr_frontend.ocr.textline import TextLine

FOREIGN = "another country's document"
_STATE = re.compile(r"^REPUBLI(?:QUE|C)(?:DU|DELA|DE|OF)([A-Z]{4,})")
_CARD_MRZ = re.compile(r"^[IAC1L|][A-Z<]([A-Z]{3})[A-Z0-9<]{20,}")
_PASSPORT_MRZ = re.compile(r"^P[A-Z<]([A-Z]{3})[A-Z0-9|<]{10,}")
# A card's second line: birth date, sex, expiry date, nationality. Below it a line of names may begin as a passport's.
_CARD_LOWER = re.compile(r"^[A-Z0-9]{7}[MFX<][A-Z0-9]{7}[A-Z]{3}")
_STATE_LIKE = 0.5  # of the letters: a state's name that OCR damaged


def mrz_of(lines: Sequence[TextLine]) -> tuple[str, str] | None:
    """Format and state of a machine-readable zone, by its first line; digits tell a card's from a line of names."""
    texts = [re.sub(r"\s", "", line.text.upper()) for line in lines]
    of_a_card = any(_CARD_LOWER.match(text) for text in texts)
    for text in texts:
        if not of_a_card and (match := _PASSPORT_MRZ.match(text)) and text.count("<") >= 3:
            return "TD3", match.group(1)
        match = _CARD_MRZ.match(text)
        if match and "<" in text and sum(character.isdigit() for character in text) >= 6:
            return "TD1", match.group(1)
    return None


def foreign(
    best: DocumentSpec,
    states: Collection[str],
    header: Sequence[TextLine],
    lines: Sequence[TextLine],
    mrz: tuple[str, str] | None,
) -> str | None:
    """Whether header or zone name another state than those that issue the best document, or any known one.

    header: the lines before the first field's label. Behind one the same words are a place of birth. On a page with a
    number of the document's own form the topmost line alone counts."""
    issuers = best.recognise.issuers
    if mrz and issuers and states:
        return None if any(_nearly(mrz[1], state) for state in states) else "another country's card"
    named = [(n, match.group(1)) for n, line in enumerate(header) if (match := _STATE.match(letters(line.text)))]
    ours = {name for _, name in named if any(_like(name, issuer) for issuer in issuers)}
    if not issuers or all(name in ours for _, name in named):
        return None  # nearly always, before every line is looked at for a number
    if proven(lines, best):
        named = [(n, name) for n, name in named if n == 0]
    return FOREIGN if named and not any(name in ours for _, name in named) else None


def _nearly(read: str, state: str) -> bool:
    """A state's three letters, two of which were read, or none that differ for sure."""
    return sum(a == b for a, b in zip(read, state, strict=False)) >= 2


def _like(name: str, issuer: str) -> bool:
    return Levenshtein.normalized_similarity(name[: len(issuer) + 1], issuer) >= _STATE_LIKE


def number_stands(lines: Sequence[TextLine], spec: DocumentSpec) -> float:
    """1 where the document's number without a label stands where it prints it."""
    wanted = spec.recognise
    if not wanted.number:
        return 0.0
    rows = [i for i, line in enumerate(lines) if re.fullmatch(rf"\d{{{wanted.number}}}", line.text.strip())]
    if len(rows) != 1:
        return 0.0
    first = 3 * rows[0] < len(lines)
    return float(first == (wanted.number_at == "first"))


def proof_of(spec: DocumentSpec) -> FieldSpec | None:
    """The field whose values have a form that no other document's have."""
    return spec.field(spec.recognise.proof) if spec.recognise.proof else None


def proven(lines: Sequence[TextLine], spec: DocumentSpec) -> bool:
    """Whether a value is read whose form tells the document."""
    field = proof_of(spec)
    return field is not None and any(field.type.holds(line.text) for line in lines)


def shape_fits(lines: Sequence[TextLine], page: str) -> float:
    """0.5 where the lines fill a rectangle of the document's shape, -0.5 of the other, 0 of neither clearly."""
    if len(lines) < 4 or page == "any":
        return 0.0
    corners = [corner for line in levelled(lines) for corner in line.box]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    width, height = max(xs) - min(xs), max(ys) - min(ys)
    if 1 / 1.15 <= width / max(1, height) <= 1.15:
        return 0.0
    return 0.5 if (width > height) == (page == "landscape") else -0.5

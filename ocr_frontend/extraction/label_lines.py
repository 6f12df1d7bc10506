"""A line that is nothing but a label is no value: where the model names one, the card does not show the field."""

from collections.abc import Collection, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import product

from ocr_frontend.documents.labels import LABELS, letters
from ocr_frontend.documents.own_labels import after_label
from ocr_frontend.llm.answers import Element, line_numbers
from ocr_frontend.ocr.textline import TextLine

# A trade or a name can be one letter away from a short label (TAILLEUR, TAILLE): only longer ones may be damaged.
_LONG = 10
_ALIKE = 0.85  # difflib's ratio
_OTHERS = ("REPUBLIQUEDUCAMEROUN", "REPUBLICOFCAMEROON", "CAMEROUNCAMEROON", "SPECIMEN", "DGSN")


def without_labels(
    elements: Mapping[str, Element], texts: Collection[str], lines: Sequence[TextLine]
) -> dict[str, Element]:
    """The answer's elements; in the fields in `texts`, numbers of lines that are labels are left out."""
    return {name: _without(element, name, lines) if name in texts else element for name, element in elements.items()}


def is_label(text: str) -> bool:
    """Whether the whole line is a label of one of the cards, damaged or not."""
    plain = letters(text)
    return any(
        plain == form or (len(form) >= _LONG and SequenceMatcher(None, plain, form, autojunk=False).ratio() >= _ALIKE)
        for form in _FORMS
    )


def _without(element: Element, field: str, lines: Sequence[TextLine]) -> Element:
    numbers = line_numbers(element)
    texts = {number: lines[number].text for number in numbers if 0 <= number < len(lines)}
    bare = {number for number, text in texts.items() if is_label(text) and not after_label(text, field)}
    kept = [number for number in numbers if number not in bare]
    if len(kept) == len(numbers):
        return element
    return tuple(kept) if len(kept) > 1 else kept[0] if kept else None


def _forms() -> frozenset[str]:
    """Every label in French, in English, and in both one after the other."""
    alone = {form for label in LABELS.values() for form in (*label.french, *label.english, *label.neither)}
    both = {"".join(pair) for label in LABELS.values() for pair in product(label.french, label.english)}
    return frozenset(alone | both | set(_OTHERS))


_FORMS = _forms()

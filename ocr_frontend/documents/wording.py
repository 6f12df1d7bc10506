"""The labels that documents print: their names, and every wording of them as letters."""

import dataclasses
from collections.abc import Iterable
from itertools import product

from rapidfuzz.distance import Levenshtein

from ocr_frontend.documents.letters import letters, tokens
from ocr_frontend.documents.spec import DocumentSpec, Printed

_FEWEST = 4  # letters of a form that anything can be like
JOINTS = "I"  # what OCR makes of the stroke between two languages


@dataclasses.dataclass(frozen=True, slots=True)
class Label:
    """One label: its field's standard name or key (a key of `DocumentSpec`), and its forms as letters.

    field: None for labels that have no value. forms: each language alone; pairs: both one after the other;
    languages: `fr` or `en` of a form in one of them; optional: as in `Printed`;
    usual: the forms and pairs of the wordings that the document names first;
    swapped: pairs with English first; parts: the two halves of each pair;
    phrases: forms of several words, or with a plural in brackets (`FORENAME(S)`);
    wordings: each as it is printed, in each language.
    """

    name: str
    field: str | None
    forms: tuple[str, ...]
    pairs: tuple[str, ...]
    languages: dict[str, str]
    usual: tuple[str, ...] = ()
    optional: bool = False
    swapped: tuple[str, ...] = ()
    parts: dict[str, tuple[str, str]] = dataclasses.field(default_factory=dict)
    phrases: tuple[str, ...] = ()
    wordings: tuple[str, ...] = ()


Fields = tuple[tuple[str, Printed], ...]


def labels_of(spec: DocumentSpec) -> tuple[Label, ...]:
    """Every label of a document: of its fields, without a field, and its static lines (name begins with `=`)."""
    return labels(*printed_on(spec))


def printed_on(spec: DocumentSpec) -> tuple[Fields, tuple[Printed, ...], tuple[str, ...]]:
    """What a document prints: each field's key and label, labels without a field, static lines. Can be hashed."""
    return tuple((each.key, each.printed) for each in spec.fields), spec.printed, spec.static


def labels(fields: Fields, others: tuple[Printed, ...], static: tuple[str, ...]) -> tuple[Label, ...]:
    """Of what is printed on a document (`printed_on`)."""
    own = [_label(key, key, printed) for key, printed in fields]
    without = [_label(f"+{letters(each.texts[0])}", None, each) for each in others if each.texts]
    lines = [_label(f"={letters(text)}", None, Printed(both=(text,))) for text in static]
    return tuple(label for label in (*own, *without, *lines) if label.forms)


def likeness(text: str, label: Label) -> float:
    """Of a text to a label as it is usually worded, whole to whole, in [0, 1]: 1 less the edits a letter.

    Of many wordings one would be like anything.
    """
    plain = letters(text)
    forms = [form for form in label.usual if len(form) >= _FEWEST]
    return max((Levenshtein.normalized_similarity(plain, form) for form in forms), default=0.0) if plain else 0.0


def _label(name: str, of: str | None, printed: Printed) -> Label:
    french, english = (sorted({letters(text) for text in texts}) for texts in (printed.fr, printed.en))
    both = sorted({letters(text) for text in printed.both})
    strokes = (text.partition("/") for text in printed.both if "/" in text)  # S.P./S.M.
    stroked = [_pairs([letters(a)], [letters(b)]) for a, _, b in strokes]
    pairs = {form: parts for each in (_pairs(french, english), *stroked) for form, parts in each.items()}
    swapped = {form: parts for form, parts in _pairs(english, french).items() if form not in pairs}
    forms = [form for form in (*french, *english, *both) if len(form) > 1]
    first = [[letters(text) for text in texts[:1]] for texts in (printed.fr, printed.en)]
    usual = (*first[0], *first[1], *both, *_pairs(first[0], first[1]))
    languages = dict.fromkeys(french, "fr") | dict.fromkeys(english, "en")
    every = tuple(dict.fromkeys(forms))
    return Label(
        name,
        of,
        every,
        tuple(sorted(pairs)),
        languages,
        usual,
        printed.optional,
        tuple(sorted(swapped)),
        pairs | swapped,
        tuple(sorted({letters(text) for text in printed.texts if len(tokens(text)) > 1 or "(" in text})),
        printed.texts,
    )


def _pairs(first: Iterable[str], second: Iterable[str]) -> dict[str, tuple[str, str]]:
    """One after the other, whatever OCR makes of the stroke between them, and the two of each."""
    return {a + joint + b: (a, b) for a, b in product(first, second) for joint in ("", *JOINTS)}

"""Which label belongs to which field, and a line that holds both: `NOM/SURNAME NGO KOEBA` is the label and the value.

Where a value stands close behind its label the OCR reads one line. Of 400 drawn cards eight had such lines.
"""

from itertools import product

from ocr_frontend.documents.labels import LABELS, Label, letters

OWN_LABELS: dict[str, frozenset[str]] = {
    "nom_surname": frozenset({"surname"}),
    "prenom_given_name": frozenset({"given names"}),
    "date_of_birth": frozenset({"birth"}),
    "lieu_of_birth": frozenset({"birth place"}),
    "sex": frozenset({"sex"}),
    "taille": frozenset({"height"}),
    "profession": frozenset({"occupation"}),
    "pere_father": frozenset({"father", "father's name"}),
    "mere_mother": frozenset({"mother", "mother's name"}),
    "sp_sm": frozenset({"S.P./S.M."}),
    "date_of_issue": frozenset({"issue"}),
    "date_of_expiration": frozenset({"expiry"}),
    "identifiant_unique": frozenset({"unique identifier", "NIC number"}),
    "authorité": frozenset({"authority", "LE DGSN"}),
}
_FEWEST_LETTERS = 2
_BETWEEN = " /:.-"


def after_label(text: str, field: str) -> str | None:
    """What follows the field's own label in `text`, None where that does not begin with it.

    Only the label in both languages counts: a name may begin with one of its words (PERE, NOM).
    """
    rests = (_after(text, form) for form in _FORMS.get(field, ()))  # the longest form first: it is the label
    rest = next((rest for rest in rests if rest is not None), "")
    return rest if len(letters(rest)) >= _FEWEST_LETTERS else None


def _after(text: str, form: str) -> str | None:
    left = form
    for place, character in enumerate(text):
        read = letters(character)
        if not left.startswith(read):
            return None
        left = left[len(read) :]
        if not left:
            return text[place + 1 :].strip(_BETWEEN)
    return None


def _bilingual(label: Label) -> set[str]:
    both = {"".join(pair) for pair in product(label.french, label.english)}
    return both | {french for french in label.french if french.endswith(label.english)}


_FORMS = {
    field: sorted(set().union(*(_bilingual(LABELS[name]) for name in names)), key=len, reverse=True)
    for field, names in OWN_LABELS.items()
}

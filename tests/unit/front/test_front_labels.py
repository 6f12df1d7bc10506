"""Labels in OCR text: whole words, damaged as OCR damages them, and never a word inside a value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.data import vocabulary
from ocr_frontend.documents.labels import LabelBook
from ocr_frontend.documents.near_forms import NearForms
from ocr_frontend.documents.registry import builtin
from ocr_frontend.documents.wording import labels_of
from tests.unit.front.pages import page, spec

BOOKS = {name: LabelBook(labels_of(each)) for name, each in builtin().readable.items()}
RECTO, VERSO, NEW_VERSO = (BOOKS[name] for name in ("cni-2018-recto", "cni-2018-verso", "cni-2025-verso"))


@pytest.mark.parametrize("text", ["OFFICIER D'ETAT CIVIL", "AGENT DE L'ETAT CIVIL (NAISSANCES)"])
@pytest.mark.parametrize("book", [RECTO, NEW_VERSO])
def test_a_trade_or_name_that_ends_or_begins_as_a_label_is_none(book: LabelBook, text: str) -> None:
    assert not book.read(text).labels


@pytest.mark.parametrize("text", ["JOB", "Job NJOYA"])
@pytest.mark.parametrize(
    ("label", "is_name"), [("PROFESSION/OCCUPATION", True), ("OCCUPATION", True), ("EMPLOI", False)]
)
def test_a_label_that_is_a_name_is_one_where_its_fields_label_stands_elsewhere(
    label: str, text: str, is_name: bool
) -> None:
    shown = page("cni-2018-recto", ["PRENOMS/GIVEN NAMES", text, label, "MARIN"])
    assert (not shown.labels_in(1)) is is_name


def test_an_optional_label_counts_where_it_begins_a_line() -> None:
    assert RECTO.read("ETAT CIVIL CELIBATAIRE").rest == "CELIBATAIRE"
    assert RECTO.read("EMPLOI/JOB").labels == {"profession"}


@pytest.mark.parametrize(
    ("book", "text", "labels"),
    [
        (RECTO, "NOM/SURNAME", {"nom_surname"}),
        (RECTO, "NOMISURNAME", {"nom_surname"}),
        (RECTO, "DATEDE NAISSANCE/DATEOF BIRTH", {"date_of_birth"}),
        (RECTO, "DATEDENAlSSANCE", {"date_of_birth"}),
        (RECTO, "LIEU DENAISSANCEIPLACE OF BIRTH", {"lieu_of_birth"}),
        (RECTO, "PLACE OF BIRTH", {"lieu_of_birth"}),
        (RECTO, "SEXESEX TAILLE HEIGHT", {"sex", "taille"}),
        (RECTO, "SEXEISEXTAILLEHEIGHT", {"sex", "taille"}),
        (RECTO, "OCCUPATON", {"profession"}),
        (VERSO, "POSTEDIDENTIFICATCN", {"+POSTEDIDENTIFICATION"}),
        (VERSO, "IDENTIFICATION POS", {"+POSTEDIDENTIFICATION"}),
        (VERSO, "URIOURIDENTIFIER", {"identifiant_unique"}),
        (VERSO, "IDENTIFIANTUNIQUEI", {"identifiant_unique"}),
        (VERSO, "MÈRE I", {"mere_mother"}),  # a stroke, whose other language stands below
        (VERSO, "MÈREI", {"mere_mother"}),
        (NEW_VERSO, "LEDGSN", {"authorité"}),
        (NEW_VERSO, "NOM DU PERE / FATHER'S NAME", {"pere_father"}),
    ],
)
def test_a_line_that_is_a_label(book: LabelBook, text: str, labels: set[str]) -> None:
    found = book.read(text)
    assert found.labels == labels and found.bare


@pytest.mark.parametrize(
    ("book", "text", "label", "rest"),
    [
        (RECTO, "NOM/SURNAME NGO KOEBA", "nom_surname", "NGO KOEBA"),
        (RECTO, "PROFESSION/OCCUPATION TAILLEUR", "profession", "TAILLEUR"),
        (RECTO, "PROFESSION: MACON", "profession", "MACON"),
        (RECTO, "TAILLEHEIGHT 1,75", "taille", "1,75"),
        (VERSO, "S.P./S.M. 123456", "sp_sm", "123456"),
        (NEW_VERSO, "NUMEROCNINIC NUMBER AB12345678", "identifiant_unique", "AB12345678"),
        # Initials, words cut short, small letters before capitals.
        (NEW_VERSO, "Lieu de naiss. - P.O.B. : DJOUM", "lieu_of_birth", "DJOUM"),
        (NEW_VERSO, "NÉ(e) à/P.O.B.: EBOLOWA", "lieu_of_birth", "EBOLOWA"),
        (NEW_VERSO, "Date Déliv. / Issued: 16. 12. 2026", "date_of_issue", "16. 12. 2026"),
        (VERSO, "Et de/Mother: FOTSO GRÂCE", "mere_mother", "FOTSO GRÂCE"),
        (VERSO, "Mere NGO MATIP", "mere_mother", "NGO MATIP"),
        (RECTO, "Profession ÉLEVEUR", "profession", "ÉLEVEUR"),
    ],
)
def test_a_label_and_its_value_in_one_line(book: LabelBook, text: str, label: str, rest: str) -> None:
    found = book.read(text)
    assert (found.labels, found.rest, found.bare) == ({label}, rest, False)


def test_a_label_behind_a_value() -> None:
    assert RECTO.read("MACON PROFESSION/OCCUPATION").head == "MACON"


VALUES = (
    "TAILLEUR", "CAMEROUN", "SANS PROFESSION", "PROFESSION LIBERALE", "AGENT PASSEPORT", "AGENT CARTE GRISE",
    "PERE PIERRE",
    "PATRICE", "RUE DE LA REPUBLIQUE DOUALA", "DATE", "MERE TERESA", "CHEF DE POSTE", "AUTORITE PORTUAIRE",
    "ADRESSE INCONNUE", "TAILLE PIERRE", "PROFESSEUR EN COOPERATION",
)  # fmt: skip


@pytest.mark.parametrize("text", VALUES)
@pytest.mark.parametrize("name", BOOKS)
def test_a_word_inside_a_value_is_no_label(name: str, text: str) -> None:
    found = BOOKS[name].read(text)
    assert not found.hits and not found.damaged


def test_hardly_any_name_place_or_trade_is_taken_for_a_label() -> None:
    words = [word for kind in ("surnames", "given", "places", "professions") for word in vocabulary.words(kind)]
    taken = [w for w in words if any((found := book.read(w)).hits or found.damaged for book in BOOKS.values())]
    assert len(words) > 2000 and len(taken) <= 5, taken


def test_every_label_of_every_document_is_read_in_every_form() -> None:
    for name, book in BOOKS.items():
        for label in labels_of(spec(name)):
            for form in (*label.forms, *label.pairs, *label.swapped):
                assert label.name in book.read(form).labels, (name, form)


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    for book in BOOKS.values():
        found = book.read(text)
        assert not (found.bare and found.rest)


def test_the_quick_look_loses_no_label_that_edits_have_hit() -> None:
    """A pair of two languages whose one half is damaged as far as its whole may be is still found."""
    for book in BOOKS.values():
        for label in book.labels:
            for pair in (*label.pairs[:6], *label.swapped[:6]):
                edits = len(pair) // 5 if len(pair) >= 8 else 0
                first, second = label.parts[pair]
                at = 0 if len(first) >= edits else len(pair) - len(second)
                damaged = pair[:at] + "#" * edits + pair[at + edits :]
                assert pair in NearForms([pair], {pair: (first, second)}).to(damaged), (pair, damaged)


@pytest.mark.parametrize(
    ("text", "label", "rest"),
    [
        ("FIRST NAME(S) ADELAIDE", "prenom_given_name", "ADELAIDE"),
        ("GIVEN NAMES ADELAIDE", "prenom_given_name", "ADELAIDE"),
        ("NOM DE FAMILLE MBARGA", "nom_surname", "MBARGA"),
        ("PLACE OF BIRTH DOUALA", "lieu_of_birth", "DOUALA"),
        ("PROF./OCCUP.: MARIN", "profession", "MARIN"),
    ],
)
def test_a_label_of_several_words_or_cut_short_gives_its_value_free(text: str, label: str, rest: str) -> None:
    reading = RECTO.read(text)
    assert (reading.labels, reading.rest) == ({label}, rest)


@pytest.mark.parametrize("text", ["NE(E) EN.", "PROF./OCCUP.", "PRE. / GIV. NAM.", "LIEU DE NAISS."])
def test_words_cut_short_make_a_label(text: str) -> None:
    reading = RECTO.read(text)
    assert reading.bare or reading.damaged


@pytest.mark.parametrize(
    "text", ["E. MBARGA", "ST. PAUL", "PROF. NDI MARIE", "DR. NOM", "J. P. ETOA", "PROFESSION LIBERALE"]
)
def test_names_with_full_stops_are_no_labels(text: str) -> None:
    reading = RECTO.read(text)
    assert not reading.labels and not reading.damaged


@pytest.mark.parametrize("text", ["Père Jean", "MERE TERESA", "Nom", "Sexe M"])
def test_one_word_before_others_alike_is_no_label(text: str) -> None:
    assert not VERSO.read(text).rest and not RECTO.read(text).rest


def test_a_label_before_a_colon_at_the_end_of_its_line_is_nothing_but_a_label() -> None:
    assert NEW_VERSO.read("VISA DE L'AUTORITE/APPR. BY:").bare


def test_words_of_labels_before_a_label_are_a_part_of_it() -> None:
    reading = NEW_VERSO.read("AUTORITE COMPETENTE - COMPETENT AUTHORITY NDZINGA")
    assert reading.rest == "NDZINGA"


def test_a_typed_value_before_its_own_label_is_read() -> None:
    shown = page("cni-2018-verso", ["952085 SP/SM - SP/SM", "VALI. A PAR. DU / VALID FROM 14.09.2023"])
    assert shown.text_of(0, "sp_sm") == "952085"
    assert "14.09.2023" in shown.text_of(1, "date_of_issue")


def test_a_label_on_both_sides_of_a_stroke_is_one_beside_a_value() -> None:
    shown = page("cni-2018-recto", ["GUIDE TOURISTIQUE PROFESSION/PROFESSION", "SANS PROFESSION"])
    assert shown.text_of(0, "profession") == "GUIDE TOURISTIQUE" and shown.labels_in(0) == {"profession"}
    assert not shown.labels_in(1)


def test_a_typed_value_before_another_label_is_the_value_of_its_own_field() -> None:
    shown = page("cni-2018-recto", ["1,81 SEXE/SEX F"])
    assert shown.text_of(0, "taille") == "1,81" and shown.text_of(0, "sex") == "F"
    assert shown.text_of(0, "date_of_birth") == "1,81 SEXE/SEX F"

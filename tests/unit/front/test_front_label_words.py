"""Lines that read like labels of a document that nobody described; names, places and trades do not."""

import pytest

from adapters.data.vocabulary import words
from ocr_frontend.documents.label_words import all_label_words, looks_like_label, share_of_label_words


@pytest.mark.parametrize(
    "text",
    [
        "LIEU D'ORIGINE",
        "Date et lieu",
        "NOM DE JEUNE FILLE DE LA MERE",
        "BLOOD GROUP",
        "N° CNI",
        "SITUATIONPARTICULIERE",
    ],
)
def test_labels_in_other_words(text: str) -> None:
    assert all_label_words(text)


@pytest.mark.parametrize("text", ["ABENA LUC", "DE LA", "YAOUNDE", "", "—", "MERE AU FOYER", "123456"])
def test_values_and_small_words_are_none(text: str) -> None:
    assert not looks_like_label(text)


@pytest.mark.parametrize("kind", ["given", "surnames", "places", "villages", "professions"])
def test_no_name_place_or_trade_reads_like_one(kind: str) -> None:
    assert not [text for text in words(kind) if all_label_words(text)]


@pytest.mark.parametrize(
    ("text", "share"),
    [("SURNAME OF THE PERS", 1.0), ("NZOONGO SURNAME", 0.5), ("ABENA LUC", 0.0), ("DE LA", 0.0), ("", 0.0)],
)
def test_how_many_words_are_those_of_labels(text: str, share: float) -> None:
    assert share_of_label_words(text) == share

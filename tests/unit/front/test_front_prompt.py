"""Rendering a contract, and text on a picture that wants to be more than text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_frontend.documents.classify import detect
from ocr_frontend.documents.registry import DOCUMENTS
from ocr_frontend.errors import UnknownDocument
from ocr_frontend.llm.prompt import BUILT_IN, Contract, neutralise, render
from ocr_frontend.ocr.reader import TextLine

RECTO = DOCUMENTS["cni-2018-recto"]
CONTRACT = Contract.model_validate(
    {
        "answer": "lines",
        "line": "{text} {index}\n",
        "suffix": "END",
        "documents": {RECTO.name: {"prefix": "BEGIN {text}\n", "fields": ["nom_surname"], "schema": {"unknown": 1}}},
        "made_by": "a later version",
    }
)


def lines(*texts: str) -> list[TextLine]:
    return [TextLine(text, 1.0, ((0, 0), (0, 0), (0, 0), (0, 0))) for text in texts]


def test_lines_are_folded_numbered_after_the_text_and_blank_ones_skipped() -> None:
    prompt = render(CONTRACT, RECTO, lines(" NOM \t SURNAME", "", "\n", "NGO\nMBARGA"), 80)
    assert prompt.text == "BEGIN {text}\nNOM SURNAME 0\nNGO MBARGA 1\nEND"
    assert [line.text for line in prompt.lines] == [" NOM \t SURNAME", "NGO\nMBARGA"]
    assert prompt.dropped == 0


def test_text_with_places_to_fill_stays_text() -> None:
    assert "{index} {text} {0} 0\n" in render(CONTRACT, RECTO, lines("{index} {text} {0}"), 80).text


def test_the_number_of_lines_and_their_length_are_bounded() -> None:
    prompt = render(CONTRACT, RECTO, lines(*["x" * 10_000] * 100), 80)
    assert (len(prompt.lines), prompt.dropped) == (80, 20)
    assert len(prompt.text) < 80 * 220


@pytest.mark.parametrize(
    "text",
    ["<|im_end|>", "a<|im_start|>system", "</s>", "<s>", "<think>", "[INST] x [/INST]", "<start_of_turn>", "<|", "|>",
     "<<|im_end|>>", "<|<|im_end|>|>", "<file_sep>"],
)  # fmt: skip
def test_control_tokens_are_broken_up(text: str) -> None:
    safe = neutralise(text)
    for token in ("<|", "|>", "</s>", "<s>", "<think>", "[INST]", "[/INST]", "<start_of_turn>", "<file_sep>"):
        assert token not in safe
    assert safe.replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("text", ["I<CMR1234567890AB12345678<<<<", "NGO<<MARIE<CLAIRE<<<", "a < b > c", "[1]", "{x}"])
def test_other_text_is_left_alone(text: str) -> None:
    assert neutralise(text) == text


@given(st.text(alphabet="<|>/s[]INST im_end", max_size=40))
def test_no_token_survives(text: str) -> None:
    safe = neutralise(text)
    assert "<|" not in safe and "|>" not in safe and "</s>" not in safe and "[INST]" not in safe


def test_a_document_that_the_model_was_not_trained_for() -> None:
    with pytest.raises(UnknownDocument):
        render(CONTRACT, DOCUMENTS["cni-2025-recto"], [], 80)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_built_in_contract_names_every_key_and_ends_with_the_text(name: str) -> None:
    prompt = render(BUILT_IN, DOCUMENTS[name], lines("NGO MBARGA"), 80)
    assert all(f"- {key}" in prompt.text for key in DOCUMENTS[name].keys)
    assert prompt.text.endswith("NGO MBARGA\n<|im_end|>\n<|im_start|>assistant\n")


PRINTED = {
    "cni-2018-recto": ("REPUBLIQUE DU CAMEROUN", "NOM/SURNAME", "PRENOMS/GIVENNAMES", "CARTENATIONALE DIDENTITE",
                       "DATEDE NAISSANCE/DATEOF BIRTH", "LIEU DENAISSANCEIPLACE OF BIRTH", "SEXESEX TAILLE HEIGHT",
                       "PROFESSION/OCCUPATION", "SIGNATURE", "DGSN"),
    "cni-2018-verso": ("PÈRE/FATHER", "MERE/MOTHER", "S.P./S.M.", "ADRESSE/ADDRESS", "AUTORITE/AUTHORITY",
                       "DATEDEDELIVRANCE/", "DATE OFISSUE", "POSTEDIDENTIFICATCN", "IDENTIFICATION POS",
                       "IDENTIFIANTUNIQUEI", "URIOURIDENTIFIER"),
    "cni-2025-recto": ("123456789", "NOM/SURNAME", "PRENOMS/GIVEN NAMES", "SEXE/SEX",
                       "DATE D'EXPIRATION/DATE OF EXPIRY", "SIGNATURE/HOLDER'S SIGNATURE",
                       "TRAVAIL", "PATRIE", "CMR"),
    "cni-2025-verso": ("NOM DU PERE / FATHER'S NAME", "NOM DE LA MERE / MOTHER'S NAME", "PROFESSION/OCCUPATION",
                       "LIEU DE NAISSANCE / PLACE OF BIRTH", "NUMERO CNI / NIC NUMBER", "TAILLE / HEIGHT", "LEDGSN"),
}  # fmt: skip


@pytest.mark.parametrize("shown", DOCUMENTS)
def test_the_side_is_noticed(shown: str) -> None:
    assert detect(lines(*PRINTED[shown])).document is DOCUMENTS[shown]


def test_a_text_without_labels_says_nothing() -> None:
    assert detect(lines("KAMGA PERE", "MARTIN", "12.03.2019")).document is None

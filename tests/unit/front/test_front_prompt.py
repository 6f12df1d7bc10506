"""Rendering a contract, and text on a picture that wants to be more than text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_frontend.documents.registry import builtin
from ocr_frontend.errors import UnknownDocument
from ocr_frontend.llm.contract import Contract, built_in
from ocr_frontend.llm.prompt import neutralise, render
from ocr_frontend.ocr.reader import TextLine

RECTO = "cni-2018-recto"
DOCUMENTS = builtin().readable
CONTRACT = Contract.model_validate(
    {
        "answer": "lines",
        "line": "{text} {index}\n",
        "suffix": "END",
        "documents": {RECTO: {"prefix": "BEGIN {text}\n", "fields": ["nom_surname"], "schema": {"unknown": 1}}},
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
        render(CONTRACT, "cni-2025-recto", [], 80)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_built_in_contract_names_every_key_and_ends_with_the_text(name: str) -> None:
    prompt = render(built_in(builtin()), name, lines("NGO MBARGA"), 80)
    assert all(f"- {key}" in prompt.text for key in DOCUMENTS[name].keys)
    assert prompt.text.endswith("NGO MBARGA\n<|im_end|>\n<|im_start|>assistant\n")

"""Tokens and their log-probabilities, gathered by element."""

import pytest

from ocr_frontend.documents.registry import builtin
from ocr_frontend.llm.client import Tokens
from ocr_frontend.llm.contract import Contract, built_in
from ocr_frontend.llm.token_logprobs import element_logprobs

BUILT_IN = built_in(builtin())
LINES = Contract(answer="lines", line="{text} {index}\n", suffix="", documents={})
FIELDS = ("a", "b", "c", "d")


def sure(text: str, tokens: list[str], contract: Contract = LINES, fields: tuple[str, ...] = FIELDS) -> dict[str, int]:
    """Every token has its own bit, so a sum says which tokens it is made of."""
    given = Tokens(tokens=tokens, token_logprobs=[-(2.0**place) for place in range(len(tokens))])
    return {name: round(-value) for name, value in element_logprobs(text, given, contract, fields).items()}


def test_an_element_is_its_tokens_and_the_sign_behind_it() -> None:
    tokens = ["[", "1", "2", ",", "null", ',"', "EL", 'A"', ",[", "3", ",", "4", "]]"]
    assert sure('[12,null,"ELA",[3,4]]', tokens) == {
        "a": 0b1110,  # 1, 2 and the comma
        "b": 0b110000,  # null and ',"', which also opens the text
        "c": 0b111100000,
        "d": 0b1111100000000,
    }


@pytest.mark.parametrize("end", [[], ["<|im_end|>"], [""]])
def test_the_end_token_belongs_to_nobody(end: list[str]) -> None:
    assert sure("[1,2]", ["[", "1", ",", "2", "]", *end]) == {"a": 0b110, "b": 0b11000}


def test_a_character_cut_over_tokens_does_not_move_its_neighbours() -> None:
    tokens = ["[", "1", ',"', "\N{REPLACEMENT CHARACTER}", "\N{REPLACEMENT CHARACTER}", 'VE"', ",", "7", "]", "<end>"]
    assert sure('[1,"ÉVE",7]', tokens) == {"a": 0b110, "b": 0b1111100, "c": 0b110000000}


def test_an_object_is_read_by_its_keys() -> None:
    tokens = ['{"', "d", '":', ' "x', '"', ', "', "a", '": ', "1.7", "}"]
    assert sure('{"d": "x", "a": 1.7}', tokens, BUILT_IN) == {"d": 0b111000, "a": 0b1100000000}


def test_without_tokens_nothing_is_said() -> None:
    assert element_logprobs("[1]", None, LINES, ("a",)) == {}
    assert element_logprobs("[1]", Tokens(tokens=["[1]"], token_logprobs=[]), LINES, ("a",)) == {}

"""What is guessed: lines by the labels before them, the rest of what is copied, separators."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.drafts.guess import Guesser, lines_taken
from server.drafts.memory import NOTHING, Memories, Memory
from server.drafts.page import Page, read_page

CARD = ["REPUBLIC", "NOM/SURNAME", "NGO MBARGA", "SEXE/SEX", "F", "TAILLE/HEIGHT", "1.63", "PROFESSION", "PASTEUR"]
NUMBERED = "user\nlines of: nom, sex\n" + "".join(f"{text} {index}\n" for index, text in enumerate(CARD)) + "assistant"
PLAIN = "user\nkeys\n- nom_surname\n- sex\n\nOCR text:\n" + "\n".join(CARD) + "\nassistant\n"


def test_numbered_lines_are_found_and_others_are_all_lines() -> None:
    assert read_page(NUMBERED) == Page(tuple(CARD), True, "user\nlines of: nom, sex")
    plain = read_page(PLAIN)
    assert not plain.numbered and plain.lines[-len(CARD) - 1 : -1] == tuple(CARD)
    assert read_page("").lines == () and not read_page("a 0\nb 2").numbered


@given(st.text())
def test_any_prompt_is_a_page(prompt: str) -> None:
    page = read_page(prompt)
    assert all(line in prompt for line in page.lines)


def test_a_name_finds_its_label_before_anything_is_learnt() -> None:
    guesses = Guesser(read_page(PLAIN), Memory())
    assert guesses.continuations('{"nom_surname":')[0] == ' "NGO MBARGA"'
    assert guesses.continuations('{"nom_surname": ')[0] == '"NGO MBARGA"'
    assert guesses.continuations('{"nom_surname": "NGO')[0] == ' MBARGA"'
    assert guesses.continuations('{"taille":')[0] == ' "1.63"'
    assert " 1.63" in guesses.continuations('{"taille":'), "bare, where a grammar wants a number"
    assert guesses.continuations('{"nom_surname":"x","sex":')[0] == '"F"', "without spaces, as the answer has it"


def test_a_page_teaches_what_stands_before_a_value() -> None:
    memory, page = Memory(), read_page(NUMBERED)
    memory.learn(page, lines_taken(page, "[2,4,6,8]"))
    second = ["PROFESSION", "JUGE", "NOM/SURNAME", "BELLO", "TAILLE/HEIGHT", "1.70", "SEXE/SEX", "M"]
    memory.learn(Page(tuple(second), True, ""), [("0", 3), ("1", 7), ("2", 5), ("3", 1)])
    other = ["SPECIMEN", "NOM/SURNAME", "ATANGANA", "PROFESSION", "MAIRE", "SEXE/SEX", "F"]
    guesses = Guesser(Page(tuple(other), True, ""), memory)
    assert guesses.continuations("[")[0] == "2"
    assert guesses.continuations("[2,")[0] == "6"


def test_a_field_whose_labels_are_missing_is_rather_null() -> None:
    memory, page = Memory(), read_page(NUMBERED)
    for _ in range(9):
        memory.learn(page, [("0", 8)])
    assert memory.lines(Page(tuple("ABCDEFGHIJ"), True, ""), "0", NOTHING)[0] == NOTHING
    assert memory.lines(page, "0", NOTHING)[0] == 8


def test_numbers_go_on_and_lists_of_lines_too() -> None:
    guesses = Guesser(Page(tuple(CARD) + ("x",) * 9, True, ""), Memory())
    guesses.memory.learn(guesses.page, [("0", 14)])
    assert guesses.continuations("[1")[0] == "4"
    assert guesses.continuations("[14")[:2] == [",", "]"]
    assert guesses.continuations("[[14,") == ["15]"]
    assert guesses.continuations("[14]") == [] and guesses.continuations("hello") == []


def test_what_stands_in_the_prompt_is_copied_without_a_form() -> None:
    guesses = Guesser(read_page("The card of\nMBARGA EPSE TSAYEM\nsays"), Memory())
    assert guesses.continuations("It is MBARGA EP") == ["SE TSAYEM"]


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        ("[2,null,[4,5],99,-1,true,1.5]", [("0", 2), ("1", NOTHING), ("2", 4)]),
        ("{", []),
        ("7", []),
        ("[" * 100_000, []),
    ],
)
def test_lines_that_an_answer_took(answer: str, taken: list[tuple[str, int]]) -> None:
    assert lines_taken(read_page(NUMBERED), answer) == taken


@given(st.text(), st.text())
def test_any_answer_to_any_prompt_can_be_guessed_on(prompt: str, answer: str) -> None:
    guesses = Guesser(read_page(prompt), Memory())
    guesses.look(answer)
    assert all(isinstance(guess, str) for guess in guesses.continuations(answer))


pages = st.lists(st.text(alphabet="ab1 /", max_size=6), max_size=8).map(lambda lines: Page(tuple(lines), True, ""))


@given(st.lists(st.tuples(pages, st.lists(st.integers(-1, 7), max_size=4)), max_size=6), pages)
def test_memories_stay_bounded_and_name_lines_of_the_page(history: list[tuple[Page, list[int]]], page: Page) -> None:
    memory = Memory()
    for one, lines in history:
        memory.learn(one, [(str(n), line) for n, line in enumerate(lines) if line < len(one.lines)])
    lines = memory.lines(page, "0", NOTHING)
    assert NOTHING in lines and len(lines) <= 5 and all(-1 <= line < len(page.lines) for line in lines)


def test_old_forms_are_forgotten() -> None:
    memories = Memories()
    first = memories.of(("a", ""))
    for number in range(200):
        memories.of(("b", number))
    assert memories.of(("a", "")) is not first


def test_a_memory_holds_no_text() -> None:
    memory, page = Memory(), read_page(PLAIN)
    memory.learn(page, lines_taken(page, json.dumps({"nom_surname": "NGO MBARGA"})))
    assert "MBARGA" not in repr(vars(memory)) and "NOM/SURNAME" not in repr(vars(memory))

"""Spaces and dots that the recognition saw: tables of probabilities as CTC has them, a step a row."""

import unicodedata

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_frontend.ocr.unwritten import Unwritten

MARKED = "ÍÎÌÏíîìïÉÈÊËéèêëÛÜÙÚûüùúÔÖÓôöóÀÂÄÁàâäáò"
TABLE = ["blank", *"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-<:", *MARKED, " "]
Step = dict[str, float]


def mended(*steps: Step, line: npt.NDArray[np.float32] | None = None) -> tuple[str, float]:
    """The text that CTC makes of them, and the mean of its characters' probabilities."""
    unwritten = Unwritten(TABLE)
    table = np.zeros((len(steps), len(TABLE)), np.float32)
    for row, step in zip(table, steps, strict=True):
        for character, probability in step.items():
            row[TABLE.index(character)] = probability
        row[0] += 1 - row.sum()
    numbers, scores = unwritten.mended(table.argmax(1), table.max(1), table[:, unwritten.columns], line)
    written = [at for at, one in enumerate(numbers) if one and (not at or one != numbers[at - 1])]
    return "".join(TABLE[numbers[at]] for at in written), float(np.mean([scores[at] for at in written] or [0]))


def spelled(text: str, gap: float = 0.0) -> list[Step]:
    """Every character, and after it a step that is blank but for a space of this probability."""
    return [step for character in text for step in ({character: 0.99}, {" ": gap})][:-1]


def test_a_space_that_stands_out_ends_a_word() -> None:
    text, score = mended(*spelled("DZAMEK", 0.01), {" ": 0.3}, *spelled("LAURENCE", 0.01))
    assert text == "DZAMEK LAURENCE"
    assert 0.9 < score < 0.99  # unsure as it is


def test_letters_set_wide_apart_are_one_word() -> None:
    assert mended(*spelled("MBENGUE", 0.3))[0] == "MBENGUE"
    assert mended(*spelled("MBEN", 0.1), {" ": 0.4}, *spelled("GUE", 0.1))[0] == "MBENGUE"


@pytest.mark.parametrize(("before", "after", "text"), [("2018", "1628", "20181628"), ("DATE:", "28", "DATE: 28")])
def test_a_number_keeps_its_form(before: str, after: str, text: str) -> None:
    assert mended(*spelled(before), {" ": 0.4}, *spelled(after))[0] == text


def printed(*gaps: int, padding: int = 0, light: float = 1.0) -> npt.NDArray[np.float32]:
    """A line with a bar for each character, as wide as a step of 8 columns allows, and so much room behind each."""
    columns = np.concatenate([np.concatenate((np.full(16 - gap, -light), np.full(gap, light))) for gap in gaps])
    picture = np.full((3, 48, columns.size + padding), 0.0, np.float32)
    picture[:, :, : columns.size] = light
    picture[:, 12:36, : columns.size] = columns
    return picture


@pytest.mark.parametrize(
    ("gap", "likely", "text"),
    [(9, 0.05, "ABC DEF"), (9, 0.01, "ABCDEF"), (5, 0.05, "ABCDEF"), (5, 0.12, "ABC DEF"), (3, 0.12, "ABCDEF")],
)
@pytest.mark.parametrize("padding", [0, 64])
def test_a_narrow_space_between_letters_is_seen_by_its_ink(gap: int, likely: float, text: str, padding: int) -> None:
    """The wider the gap is against the line's others, the less likely the recognition has to think a space."""
    steps = [*spelled("ABC"), {" ": likely}, *spelled("DEF"), {}, *([{}] * (padding // 8))]
    for light in (1.0, -0.8):  # on dark ground, too
        assert mended(*steps, line=printed(3, 3, gap, 3, 3, 3, padding=padding, light=light))[0] == text


def test_two_gaps_as_wide_as_each_other_are_no_words_unless_a_space_is_likely() -> None:
    steps = [*spelled("AB"), {" ": 0.05}, *spelled("CD"), {" ": 0.05}, *spelled("EF"), {}]
    assert mended(*steps, line=printed(3, 9, 3, 9, 3, 3))[0] == "ABCDEF"


def test_a_line_of_few_characters_and_one_of_digits_say_nothing_about_gaps() -> None:
    assert mended(*spelled("AB", 0.1), {}, line=printed(9, 3))[0] == "AB"
    assert mended(*spelled("12"), {" ": 0.15}, *spelled("34"), {}, line=printed(3, 12, 3, 3))[0] == "1234"


def test_a_space_that_was_written_is_not_doubled() -> None:
    assert mended({"A": 0.9}, {" ": 0.4}, {" ": 0.9}, {" ": 0.3}, {"B": 0.9})[0] == "A B"
    assert mended({"A": 0.9}, {"B": 0.9})[0] == "AB"


@pytest.mark.parametrize(
    ("seen", "written"),
    [
        ({"I": 0.6, "Í": 0.25, "Î": 0.1}, "MOÏSE"),
        ({"ï": 0.7, "Î": 0.2, "I": 0.05}, "MOÏSE"),
        ({"Í": 0.75, "I": 0.25}, "MOÏSE"),
        ({"Í": 0.97}, "MOÍSE"),
        ({"Í": 0.9}, "MOÏSE"),
        ({"Î": 0.75, "î": 0.2}, "MOÎSE"),
        ({"I": 0.9, "Í": 0.02}, "MOISE"),
        ({"L": 0.6, "Î": 0.3}, "MOLSE"),
    ],
)
def test_dots_over_a_capital(seen: Step, written: str) -> None:
    assert mended(*spelled("MO"), {}, seen, seen, {}, *spelled("SE"))[0] == written


@pytest.mark.parametrize(
    ("before", "seen", "after", "written"),
    [
        ("GA", {"É": 0.6, "E": 0.1, "Ë": 0.14, "Ê": 0.08}, "LLE", "GAËLLE"),
        ("NO", {"Ê": 0.7, "Ë": 0.2, "E": 0.1}, "LLE", "NOËLLE"),
        ("", {"É": 0.98}, "TIENNE", "ÉTIENNE"),
        ("PR", {"É": 0.8, "Ê": 0.15, "È": 0.02}, "TRE", "PRÊTRE"),
        ("ARS", {"É": 0.6, "È": 0.35, "Ê": 0.02}, "NE", "ARSÈNE"),
        ("G", {"E": 0.98, "É": 0.01}, "STION", "GESTION"),
        ("B", {"Ü": 0.75, "Û": 0.1, "Ú": 0.1}, "CHERON", "BÛCHERON"),
        ("M", {"Ü": 0.97, "Û": 0.001}, "LLER", "MÜLLER"),
        ("C", {"Ó": 0.7, "Ô": 0.2, "O": 0.1}, "TE", "CÔTE"),
        ("JO", {"E": 0.9, "É": 0.07, "È": 0.01}, "L", "JOËL"),
        ("MB", {"E": 0.9, "É": 0.07, "È": 0.01}, "L", "MBEL"),
        ("JO", {"E": 0.97, "É": 0.01}, "L", "JOEL"),
        ("HAYATO", {"Ú": 0.7, "U": 0.2}, "", "HAYATOU"),  # a line crosses it
        ("JES", {"Ú": 0.97}, "S", "JESÚS"),
    ],
)
def test_marks_that_the_recognition_underrates(before: str, seen: Step, after: str, written: str) -> None:
    assert mended(*spelled(before), {}, seen, {}, *spelled(after))[0] == written


def test_small_letters_keep_what_was_read() -> None:
    assert mended(*spelled("Mo"), {}, {"ï": 0.9, "î": 0.05}, {}, *spelled("se"))[0] == "Moïse"
    assert mended(*spelled("Mar"), {}, {"í": 0.5, "i": 0.4}, {}, *spelled("a"))[0] == "María"
    assert mended(*spelled("Maur"), {}, {"i": 0.95, "ï": 0.02}, {}, *spelled("ce"))[0] == "Maurice"


def test_dots_over_a_small_i_and_a_circumflex_are_seen() -> None:
    assert mended(*spelled("A"), {"i": 0.86, "ï": 0.12}, *spelled("ssatou"))[0] == "Aïssatou"
    assert mended(*spelled("Ma"), {"í": 0.5, "ï": 0.3}, *spelled("gari"))[0] == "Maïgari"
    assert mended(*spelled("Contr"), {"ö": 0.4, "ô": 0.3}, *spelled("leur"))[0] == "Contrôleur"


@pytest.mark.parametrize(
    ("read", "text"),
    [
        ("Yaounde ler", "Yaounde 1er"),
        ("ler-MAI", "1er-MAI"),
        ("Ia lere", "Ia 1ere"),
        ("atelier", "atelier"),
        ("lers", "lers"),
        ("Charles Ier", "Charles Ier"),
    ],
)
def test_an_ordinal_begins_with_a_one(read: str, text: str) -> None:
    assert mended(*spelled(read))[0] == text


def test_a_model_without_these_characters_is_left_alone() -> None:
    unwritten = Unwritten(["blank", "A", "B"])
    numbers, scores = unwritten.mended([1, 0, 2], [0.9, 0.8, 0.7], np.zeros((3, 0), np.float32))
    assert unwritten.columns.shape == (0,)
    assert numbers.tolist() == [1, 0, 2] and scores.tolist() == pytest.approx([0.9, 0.8, 0.7])


@given(st.lists(st.dictionaries(st.sampled_from(TABLE[1:]), st.floats(0, 0.3), max_size=3), max_size=30))
def test_only_spaces_are_added_and_only_marks_change(steps: list[Step]) -> None:
    table = np.zeros((len(steps), len(TABLE)), np.float32)
    for row, step in zip(table, steps, strict=True):
        for character, probability in step.items():
            row[TABLE.index(character)] = probability
    unwritten = Unwritten(TABLE)
    before = table.argmax(1) if len(steps) else np.zeros(0, np.int64)
    numbers, scores = unwritten.mended(before, table.max(1, initial=0), table[:, unwritten.columns])
    assert len(numbers) == len(scores) == len(steps)
    for old, new in zip(before, numbers, strict=True):
        same_letter = _letter(TABLE[old]) == _letter(TABLE[new])
        assert old == new or same_letter or (old == 0 and TABLE[new] == " ")


def _letter(text: str) -> str:
    return unicodedata.normalize("NFD", text)[0].upper()


def test_the_least_sure_letter_is_told_whatever_its_line_scores() -> None:
    unwritten, numbers = Unwritten(TABLE), [*map(TABLE.index, "AAB"), 0, *map(TABLE.index, "-1")]
    scores = np.array([0.4, 0.9, 0.97, 0.99, 0.2, 0.95], np.float32)  # of a character its likeliest step, no sign
    assert unwritten.least_sure(numbers, scores) == pytest.approx(0.9)
    assert unwritten.least_sure([0, 0], [0.9, 0.9]) == 1.0

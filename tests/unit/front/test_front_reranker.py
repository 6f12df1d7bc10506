"""The second opinion on lines: labels matched one to one, sets weighed by trees, all fields chosen together."""

import datetime
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_frontend.documents.page import LabelledPage
from ocr_frontend.extraction.candidate import Candidate
from ocr_frontend.extraction.reranker.assignment import assign
from ocr_frontend.extraction.reranker.choose import Choices, reranked, value_of
from ocr_frontend.extraction.reranker.features import VERSION
from ocr_frontend.extraction.reranker.label_matching import match_labels
from ocr_frontend.extraction.reranker.surroundings import Surroundings, side_of
from ocr_frontend.extraction.reranker.trees import Trees, TreesError, load_trees
from ocr_frontend.extraction.rules import candidates
from ocr_frontend.llm.answers import Element
from ocr_frontend.ocr.geometry import Place
from ocr_frontend.ocr.textline import TextLine
from tests.unit.front.pages import RECTO, RECTO_ANSWER, line, page, spec

NOTHING: dict[str, Element] = dict.fromkeys(RECTO_ANSWER)
# Birth under its label; names, place and trade above theirs: each label alone would take the wrong neighbour.
MIXED = [
    line("DATE DE NAISSANCE", 0), line("DATE OF BIRTH", 0.7), line("01.02.1990", 1.5),
    line("MABEL", 3), line("PRENOMS", 4), line("GIVEN NAMES", 4.7),
    line("YAOUNDE", 6), line("LIEU DE NAISSANCE", 7), line("PLACE OF BIRTH", 7.7),
    line("MENUISIER", 9), line("PROFESSION", 10), line("OCCUPATION", 10.7),
]  # fmt: skip


@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(st.lists(st.floats(-5, 5), min_size=5, max_size=5), min_size=n, max_size=n)
    )
)
def test_no_other_assignment_costs_less(costs: list[list[float]]) -> None:
    found = assign(costs)
    assert len(set(found)) == len(costs)
    least = min(
        sum(row[c] for row, c in zip(costs, columns, strict=True))
        for columns in itertools.permutations(range(5), len(costs))
    )
    assert math.isclose(sum(row[c] for row, c in zip(costs, found, strict=True)), least, abs_tol=1e-9)


def test_an_empty_table_has_no_assignment() -> None:
    assert assign([]) == []


@pytest.mark.parametrize(
    ("label", "side"),
    [((0, 90, 0, 20), "above"), ((0, 90, 60, 80), "below"), ((-200, -10, 30, 50), "left"),
     ((110, 200, 30, 50), "right"),
     ((0, 90, 17, 37), "above"), ((0, 90, 43, 63), "below"),  # so close that they touch
     ((0, 90, 300, 320), None), ((900, 990, 0, 20), None), ((0, 90, 33, 53), None)],
)  # fmt: skip
def test_where_a_label_stands(label: tuple[int, int, int, int], side: str | None) -> None:
    left, right, top, bottom = label
    found = side_of(Place(0, 100, 30, 50, 20), Place(left, right, top, bottom, 20))
    assert (found and found[0]) == side


def matched(given_page: LabelledPage, answer: Mapping[str, Element] | None = None) -> dict[str, tuple[int, ...]]:
    found = candidates(dict(answer or {}), given_page)
    model = dict.fromkeys(found, ())
    return match_labels(Surroundings(given_page), model, {})


def test_a_page_with_labels_above_and_below_its_values_is_matched_whole() -> None:
    found = matched(page("cni-2018-recto", MIXED))
    assert {key: lines for key, lines in found.items() if lines} == {
        "date_of_birth": (2,), "prenom_given_name": (3,), "lieu_of_birth": (6,), "profession": (9,),
    }  # fmt: skip


def test_a_plain_card_is_matched_whole() -> None:
    assert matched(page("cni-2018-recto", RECTO)) == {key: (n,) for key, n in RECTO_ANSWER.items()}


def test_a_label_that_nobody_described_keeps_its_line() -> None:
    given_page = page("cni-2018-recto", ["NOM/SURNAME", "BLOOD GROUP", "O", "PRENOMS/GIVEN NAMES", "ELISE"])
    assert matched(given_page)["nom_surname"] == ()


def test_a_value_over_two_lines_keeps_both() -> None:
    given_page = page("cni-2018-recto", ["LIEU DE NAISSANCE/PLACE OF BIRTH", "NGUIBASSAL", "RURAL", *RECTO[8:]])
    assert matched(given_page)["lieu_of_birth"] == (1, 2)


def sets_of(key: str, name: str, given_lines: Sequence[TextLine | str]) -> set[tuple[int, ...]]:
    shown = page(name, given_lines)
    found = candidates(dict.fromkeys((each.key for each in shown.spec.fields), None), shown)
    return set(Choices(found, dict.fromkeys(found, 0.0), shown).sets[key])


def test_pieces_of_a_value_in_one_row_are_a_set_of_their_own() -> None:
    near = [line("PRENOMS/GIVEN NAMES", 0), line("GODLOVE", 1), line("NARCISSE", 1, left=100), line("PAUL", 2.1)]
    assert {(1, 2), (1, 2, 3), (1, 3), (2,)} <= sets_of("prenom_given_name", "cni-2018-recto", near)
    rows = [
        line("PERE/FATHER", 0), line("TCHOUMI", 1), line("NTAMACK", 1, left=100), line("NGAH", 1, left=190),
        line("ZACHARIE", 2.1), line("STEPHANE", 2.1, left=110), line("LOIC", 3.2),
    ]  # fmt: skip
    found = sets_of("pere_father", "cni-2018-verso", rows)
    assert {(1, 2, 3, 4, 5, 6), (1, 2, 3, 4, 5), (1, 2), (4, 5, 6), (1, 4, 6)} <= found and (1, 2, 4) not in found
    far = [line("PRENOMS/GIVEN NAMES", 0), line("GODLOVE", 1), line("NARCISSE", 1, left=200)]
    assert (1, 2) not in sets_of("prenom_given_name", "cni-2018-recto", far)
    labelled = [line("PRENOMS/GIVEN NAMES", 0), line("GODLOVE", 1), line("SEXE/SEX", 1, left=100)]
    assert (1, 2) not in sets_of("prenom_given_name", "cni-2018-recto", labelled)


def test_a_date_in_pieces_is_a_set_and_five_rows_of_a_name_are() -> None:
    pieces = [line("DATE OF ISSUE", 0), line("17", 1), line("07", 1, left=50), line("2018", 1, left=90)]
    found = sets_of("date_of_issue", "cni-2018-verso", pieces)
    assert (1, 2, 3) in found and not {(1,), (1, 2), (2, 3)} & found
    column = [
        line("MERE/MOTHER", 0),
        *(line(name, row + 1) for row, name in enumerate(("NGO", "ANNE", "EVE", "ZOE", "ADA"))),
    ]
    assert {(1, 2, 3, 4, 5), (2, 3, 4, 5)} <= sets_of("mere_mother", "cni-2018-verso", column)


@pytest.mark.parametrize("step", [0.1, 0.0])
def test_lines_that_somebody_made_up_do_not_multiply(step: float) -> None:
    """A hundred lines, each of which may go on with any other: below each other, or beside each other."""
    stacked = [line("AMBAM", n * step, left=10 + (0 if step else 30 * n)) for n in range(100)]
    assert len(sets_of("pere_father", "cni-2018-verso", stacked)) < 1200


@pytest.mark.parametrize(("left", "goes_on"), [(10, True), (90, True), (200, True), (330, False)])
def test_a_value_behind_its_label_goes_on_anywhere_under_the_label(left: int, goes_on: bool) -> None:
    """A label in smaller print ends further left than its share of the line's letters says."""
    shown = [line("FATHER: TCHOUPO ATANGANA", 0), line("PIERRE", 1.1, left=left), line("MOTHER: NGO", 3)]
    assert ((0, 1) in sets_of("pere_father", "cni-2018-verso", shown)) is goes_on


def test_what_a_check_of_the_document_rules_out_is_said_of_it() -> None:
    soon = datetime.date.today().year + 8
    lines = ["DATE DE DELIVRANCE/DATE OF ISSUE", "01.02.2090", "DATE D'EXPIRATION/DATE OF EXPIRY", f"03.04.{soon}"]
    lines += ["04.05.2091"]
    shown = page("cni-2018-verso", lines)
    found = candidates(dict.fromkeys((each.key for each in shown.spec.fields), None), shown)
    choices = Choices(found, dict.fromkeys(found, 0.0), shown)
    issue, expiry = (
        dict(zip(choices.sets[key], choices.features[key], strict=True))
        for key in ("date_of_issue", "date_of_expiration")
    )
    assert issue[(1,)]["impossible"] and not expiry[(3,)]["impossible"] and expiry[(4,)]["impossible"]


def test_a_bracket_that_is_not_closed_is_said_of_a_set() -> None:
    lines = ["LIEU DE NAISSANCE/PLACE OF BIRTH", "FUNDONG (HOPITAL", "CENTRAL)"]
    shown = page("cni-2018-recto", lines)
    found = candidates(dict.fromkeys((each.key for each in shown.spec.fields), None), shown)
    choices = Choices(found, dict.fromkeys(found, 0.0), shown)
    born = dict(zip(choices.sets["lieu_of_birth"], choices.features["lieu_of_birth"], strict=True))
    assert [born[each]["brackets"] for each in ((1,), (2,), (1, 2))] == [1, -1, 0]


class Agreeing:
    """In the place of the trees: the labels' own lines are right."""

    names = ("labels_same", "labels_null")

    def log_odds(self, rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.where(rows[:, 0] == 1, 3.0, -3.0)


def chosen(answer: Mapping[str, Element]) -> tuple[dict[str, Candidate], dict[str, float]]:
    given_page = page("cni-2018-recto", MIXED)
    found = candidates(dict(answer), given_page)
    return reranked(found, Choices(found, dict.fromkeys(found, 1.0), given_page), Agreeing())  # type: ignore[arg-type]


def test_what_stands_otherwise_is_changed_and_no_line_is_two_fields_value() -> None:
    wrong = {**NOTHING, "prenom_given_name": 6, "lieu_of_birth": 9, "date_of_birth": 2}
    changed, sure = chosen(wrong)
    assert changed["prenom_given_name"] == Candidate(3, "reranked")
    assert changed["lieu_of_birth"] == Candidate(6, "reranked")
    assert "date_of_birth" not in changed and sure["date_of_birth"] == 3.0


def test_a_text_that_the_model_wrote_is_left_alone() -> None:
    changed, sure = chosen({**NOTHING, "profession": "MENUISIERE"})  # nearly what stands there
    assert "profession" not in changed and "profession" not in sure


def test_a_page_of_few_labels_is_not_its_business() -> None:
    few = page("cni-2018-recto", ["MABEL", "YAOUNDE", "PRENOMS/GIVEN NAMES", "SEXE/SEX", "F"])
    found = candidates({**NOTHING, "prenom_given_name": 0}, few)
    given_choices = Choices(found, dict.fromkeys(found, 1.0), few)
    assert reranked(found, given_choices, Agreeing()) == ({}, {})  # type: ignore[arg-type]


def test_every_set_has_the_value_that_it_would_give() -> None:
    given_page = page("cni-2018-recto", RECTO)
    found = candidates(dict(RECTO_ANSWER), given_page)
    given_choices = Choices(found, dict.fromkeys(found, 1.0), given_page)
    born = spec("cni-2018-recto").field("date_of_birth")
    assert born is not None
    values = {lines: value_of(lines, born, given_choices) for lines in given_choices.sets["date_of_birth"]}
    assert values == {(): None, (5,): "01.02.1990"}


def stump(**changes: Any) -> dict[str, Any]:
    """One tree of one split, NaN to the right."""
    nodes = [[1, 0.5, 1, 2, 0, 0.0], [-1, 0, 0, 0, 0, -1.0], [-1, 0, 0, 0, 0, 2.0]]
    body = {"features": VERSION, "names": ["a", "b"], "baseline": 0.25, "deepest": 1, "roots": [0], "nodes": nodes}
    return body | changes


def test_trees_go_left_up_to_the_threshold_and_send_what_is_missing_where_they_learnt() -> None:
    rows = np.array([[9.0, 0.5], [9.0, 0.6], [9.0, np.nan]])
    assert Trees(stump()).log_odds(rows).tolist() == [-0.75, 2.25, 2.25]
    nodes = [[1, 0.5, 1, 2, 1, 0.0], *stump()["nodes"][1:]]
    assert Trees(stump(nodes=nodes)).log_odds(rows).tolist() == [-0.75, 2.25, -0.75]


@pytest.mark.parametrize("body", ["", "[]", "{}", json.dumps(stump(nodes=[])), json.dumps(stump(features=VERSION + 1))])
def test_a_file_without_trees_says_how_to_make_one(tmp_path: Path, body: str) -> None:
    file = tmp_path / "trees.json"
    file.write_text(body)
    with pytest.raises(TreesError, match="adapters rerank"):
        load_trees(file)
    with pytest.raises(TreesError, match="cannot be read"):
        load_trees(tmp_path / "none.json")


BROKEN = [
    line("PERE/FATHER", 0), line("ISSA", 1), line("NDZANA", 2), line("MERE/MOTHER", 3.4), line("NGUE AMINATOU", 4.4),
    line("S.P./S.M.", 5.8), line("676938", 6.8), line("AUTORITE/AUTHORITY", 8.2), line("BIKOI ATANGANA", 9.2),
    line("PIERRE-MARIE", 10.3), line("DATE DE DELIVRANCE/DATE OF ISSUE", 11.8), line("20.09.2016", 12.8),
]  # fmt: skip


def weighed(
    name: str, lines: Sequence[TextLine | str], answer: Mapping[str, Element], odds: float
) -> dict[str, Element]:
    """What the shipped trees leave of an answer: the fields that have lines."""
    shown = page(name, lines)
    found = candidates({spec.key: answer.get(spec.key) for spec in shown.spec.fields}, shown)
    changed, _ = reranked(found, Choices(found, dict.fromkeys(found, odds), shown), load_trees())
    left = {key: (changed[key] if key in changed else several[-1]).element for key, several in found.items()}
    return {key: element for key, element in left.items() if element is not None}


def test_the_shipped_trees_leave_a_right_answer_and_mend_others() -> None:
    assert weighed("cni-2018-recto", RECTO, RECTO_ANSWER, 5.0) == RECTO_ANSWER
    another_s_line = {**answer_of_mixed(), "profession": 6}
    assert weighed("cni-2018-recto", MIXED, another_s_line, 1.0) == answer_of_mixed()
    last_lines: dict[str, Element] = {
        "pere_father": 2, "mere_mother": 4, "sp_sm": 6, "authorité": 9, "date_of_issue": 11,
    }  # fmt: skip
    assert weighed("cni-2018-verso", BROKEN, last_lines, 1.0) == {
        **last_lines, "pere_father": (1, 2), "authorité": (8, 9),
    }  # fmt: skip


def answer_of_mixed() -> dict[str, Element]:
    return {"date_of_birth": 2, "prenom_given_name": 3, "lieu_of_birth": 6, "profession": 9}

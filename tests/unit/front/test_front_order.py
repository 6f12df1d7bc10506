"""What the order of fields says where labels cannot be read."""

from collections.abc import Sequence

from ocr_frontend.extraction.reranker.choose import Choices
from ocr_frontend.extraction.reranker.order import Order
from ocr_frontend.extraction.rules import candidates
from ocr_frontend.llm.answers import Element
from ocr_frontend.ocr.textline import TextLine
from tests.unit.front.pages import line, page, spec

VERSO = "cni-2018-verso"
# Father and mother without a label that could be read, the other fields with theirs.
LINES = [
    line("FOKOU PAUL", 0), line("MBARGA ROSE", 2), line("S.P./S.M.", 4), line("004217", 5), line("DATE OF ISSUE", 7),
    line("03.04.2021", 8), line("DATE OF EXPIRY", 10), line("03.04.2031", 11), line("AUTHORITY", 13),
    line("MARTIN MBARGA", 14),
]  # fmt: skip


def order_of(lines: Sequence[TextLine], answer: dict[str, Element] | None = None) -> Order:
    given_page = page(VERSO, lines)
    answered: dict[str, Element] = dict.fromkeys((field.key for field in spec(VERSO).fields), None) | (answer or {})
    return Choices(candidates(answered, given_page), dict.fromkeys(answered, 0.0), given_page).order


def test_what_has_a_label_is_known_and_names_without_one_are_open() -> None:
    order = order_of(LINES)
    assert order.open_fields == ("pere_father", "mere_mother")
    assert order.open_lines == (0, 1)
    assert {key: order.known[key] for key in ("sp_sm", "date_of_issue", "authorité")} == {
        "sp_sm": 3, "date_of_issue": 5, "authorité": 9,
    }  # fmt: skip


def test_as_many_open_lines_as_fields_stand_in_the_fields_order() -> None:
    order = order_of(LINES)
    for key, own, other in (("pere_father", 0, 1), ("mere_mother", 1, 0)):
        right, wrong = order.of_lines(key, (own,)), order.of_lines(key, (other,))
        assert (right["rank_before"], right["rank_after"], right["gap_before"], right["gap_after"]) == (0, 0, 0, 0)
        assert wrong["rank_before"] == -wrong["rank_after"] != 0
        assert right["in_gap"] and right["is_open"] and right["order_against"] == 0


def test_a_name_below_the_fields_that_follow_it_is_out_of_order() -> None:
    order = order_of(LINES)
    found = order.of_lines("pere_father", (9,))
    assert found["order_against"] == 3 == found["order_known"]  # the authority's line is the set itself
    assert found["step_before"] < 0 and not found["in_gap"] and not found["is_open"]


def test_one_line_for_two_fields_is_said() -> None:
    order = order_of([LINES[1], *LINES[2:]])
    said = order.of_field("mere_mother")
    assert (said["gap_lines"], said["gap_fields"], said["gap_place"]) == (1, 2, 1)
    assert "gap_lines" not in order.of_field("authorité")


def test_a_page_without_any_label_has_no_known_free_text() -> None:
    order = order_of([line("FOKOU PAUL", 0), line("MBARGA ROSE", 2)])
    assert order.known == {}
    assert order.of_lines("mere_mother", (1,))["order_known"] == 0

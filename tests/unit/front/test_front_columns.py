"""Reading order by columns."""

from hypothesis import given
from hypothesis import strategies as st

from ocr_frontend.documents.registry import DOCUMENTS
from ocr_frontend.llm.prompt import Contract, DocumentPrompt, render
from ocr_frontend.ocr.columns import in_columns
from ocr_frontend.ocr.textline import TextLine


def line(text: str, x: int, y: int, wide: int = 120) -> TextLine:
    return TextLine(text, 0.9, ((x, y), (x + wide, y), (x + wide, y + 20), (x, y + 20)))


VERSO = [
    line("PERE/FATHER", 10, 10), line("ABENA", 10, 40), line("A LINE ACROSS THE CARD", 10, 70, 500),
    line("S.P./S.M.", 10, 110), line("AUTORITE/AUTHORITY", 300, 112), line("012345", 10, 140), line("MARTIN", 300, 142),
    line("ADRESSE/ADDRESS", 10, 170), line("DATE OF ISSUE", 300, 172), line("BONABERI", 10, 200),
    line("01.02.2019", 300, 202), line("CAMEROUN CAMEROON", 10, 240, 500),
]  # fmt: skip


def test_the_two_columns_of_a_verso_are_read_one_after_the_other() -> None:
    assert [found.text for found in in_columns(VERSO)] == [
        "PERE/FATHER", "ABENA", "A LINE ACROSS THE CARD",
        "S.P./S.M.", "012345", "ADRESSE/ADDRESS", "BONABERI",
        "AUTORITE/AUTHORITY", "MARTIN", "DATE OF ISSUE", "01.02.2019",
        "CAMEROUN CAMEROON",
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 600)), max_size=12))
def test_no_line_is_lost_or_doubled(places: list[tuple[int, int]]) -> None:
    lines = [line(str(number), *place) for number, place in enumerate(places)]
    assert sorted(found.text for found in in_columns(lines)) == sorted(found.text for found in lines)


def test_a_contract_says_which_order_it_was_trained_on() -> None:
    prompts = {"cni-2018-verso": DocumentPrompt(prefix="", fields=("sp_sm",))}
    plain = Contract(answer="lines", line="{text} {index}\n", suffix="", documents=prompts)
    columns = plain.model_copy(update={"order": "columns"})
    assert "AUTORITE/AUTHORITY 4" in render(plain, DOCUMENTS["cni-2018-verso"], VERSO, 80).text
    shown = render(columns, DOCUMENTS["cni-2018-verso"], VERSO, 80)
    assert "AUTORITE/AUTHORITY 7" in shown.text and shown.lines[7].text == "AUTORITE/AUTHORITY"

"""Which line goes on with which, wherever values stand to their labels, and which lines run across the page."""

import math

import pytest

from ocr_frontend.documents.label_words import looks_like_label
from ocr_frontend.extraction.reranker.choose import Choices
from ocr_frontend.extraction.reranker.surroundings import FAR, Surroundings
from ocr_frontend.extraction.rules import candidates
from ocr_frontend.extraction.under_label import follows
from ocr_frontend.ocr.geometry import aslant
from ocr_frontend.ocr.textline import Box, TextLine
from tests.unit.front.pages import line, page


def turned(text: str, degrees: float, x: int, y: int, width: int, height: int) -> TextLine:
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    def corner(a: float, b: float) -> tuple[int, int]:
        return round(x + a * cosine - b * sine), round(y + a * sine + b * cosine)

    box: Box = corner(0, 0), corner(width, 0), corner(width, height), corner(0, height)
    return TextLine(text, 0.99, box)


@pytest.mark.parametrize("page_angle", [-10.0, 0.0, 7.0])
@pytest.mark.parametrize("mark_angle", [-40.0, -20.0, 18.0, 30.0])
def test_a_watermark_runs_across_the_page(page_angle: float, mark_angle: float) -> None:
    lines = [turned(f"LINE {n}", page_angle, 10, 40 * n, 200, 20) for n in range(6)]
    lines.append(turned("SPECIMEN", page_angle + mark_angle, 100, 60, 240, 60))
    assert aslant(lines) == (False,) * 6 + (True,)


def test_a_single_letter_has_no_direction_and_a_large_one_has() -> None:
    lines = [turned(f"LINE {n}", 0, 10, 40 * n, 200, 20) for n in range(6)]
    small, large = turned("F", 40, 300, 60, 18, 20), turned("S", 40, 300, 60, 100, 90)
    assert aslant([*lines, small])[-1] is False and aslant([*lines, large])[-1] is True
    assert aslant([]) == ()


def test_what_runs_across_the_page_is_no_value() -> None:
    lines = [line(text, row) for row, text in enumerate(("PERE/FATHER", "ACHU", "MERE/MOTHER", "ABENA", "AUTORITE"))]
    shown = page("cni-2018-verso", [*lines, turned("TEST", -30, 60, 150, 120, 40)])
    assert shown.is_label(5) and not shown.is_label(1)


@pytest.mark.parametrize(
    ("first", "second", "goes_on"),
    [
        ((100, 400), (100, 180), True),  # the same left edge
        ((100, 400), (320, 400), True),  # the same right edge
        ((100, 400), (210, 290), True),  # the same axis
        ((100, 400), (150, 260), False),
    ],
)
def test_a_value_goes_on_below_with_an_edge_or_its_axis(
    first: tuple[int, int], second: tuple[int, int], goes_on: bool
) -> None:
    lines = [
        TextLine(text, 0.99, ((left, top), (right, top), (right, top + 20), (left, top + 20)))
        for text, (left, right), top in (("HAMADOU TCHINDA", first, 0), ("GAETAN", second, 28))
    ]
    shown = page("cni-2018-verso", lines)
    assert follows(0, 1, shown) is goes_on
    assert (1 in Surroundings(shown).followers[0]) is goes_on


def test_a_value_behind_its_label_goes_on_where_it_begins() -> None:
    label, value = "PROFESSION/OCCUPATION: ", "CONTROLEUR"
    below = line("DES DOUANES", 1, left=10 + 10 * len(label))
    shown = page("cni-2018-recto", [line(label + value, 0), below])
    assert shown.value_places[0].left == pytest.approx(below.box[0][0], abs=10)
    assert follows(0, 1, shown)
    assert not follows(0, 1, page("cni-2018-recto", [line(label + value, 0), line("DES DOUANES", 1)]))


def features(lines: list[TextLine], key: str, chosen: tuple[int, ...]) -> dict[str, float]:
    shown = page("cni-2018-verso", lines)
    given = Choices(candidates({}, shown), {}, shown)
    return given.features[key][given.sets[key].index(chosen)]


def test_a_label_stands_over_a_value_under_it_or_before_its_middle() -> None:
    over = features([line("PERE/FATHER", 0), line("ISSA", 1), line("NDZANA", 2)], "pere_father", (1, 2))
    assert (over["label_over"], over["label_under"]) == (1.5, -3.0)
    under = features([line("ISSA", 0), line("NDZANA", 1), line("PERE/FATHER", 2)], "pere_father", (0, 1))
    assert (under["label_over"], under["label_under"]) == (-3.0, 1.5)
    before = [line("PERE/FATHER", 0.5), line("ISSA", 0, 300), line("NDZANA", 1, 300)]
    assert features(before, "pere_father", (1, 2))["label_middle"] == 0
    assert "label_middle" not in features(before, "pere_father", (2,))
    assert "label_middle" not in features([line("ISSA", 0), line("ABENA", 9)], "pere_father", (0,))


def test_a_value_ends_where_the_next_label_is() -> None:
    lines = [line("PERE/FATHER", 0), line("ISSA", 1), line("NDZANA", 2), line("MERE/MOTHER", 3)]
    one, both = (features(lines, "pere_father", chosen) for chosen in ((1,), (1, 2)))
    assert (one["label_below"], both["label_below"]) == (3.0, 1.5)
    assert one["label_above"] == both["label_above"] == 1.5
    assert features(lines[:3], "pere_father", (1, 2))["label_below"] == FAR


def test_a_page_that_breaks_other_values_is_known_by_it() -> None:
    lines = [line("PERE/FATHER", 0), line("ISSA", 1), line("MERE/MOTHER", 3), line("ABENA", 4), line("ROSE", 5)]
    assert features(lines, "pere_father", (1,))["broken"] == 1.0
    assert features(lines, "mere_mother", (3, 4))["broken"] == 0.0


INLINE = ("N°CNI PY86074338", "DATE DÉLIV. 17.05.2026", "LE DGSN YEBGA AISSATOU", "ET DE FRU FADIMATOU",
          "LIEU DE NAISS. AMBAM", "PROF. OPERATEUR ECONOMIQUE")  # fmt: skip


def test_where_typed_values_stand_behind_their_labels_others_do_too() -> None:
    shown = page("cni-2025-verso", INLINE)
    found = {key: shown.readings[n].rest for n in range(len(INLINE)) for key in shown.labels_in(n)}
    assert found == {
        "identifiant_unique": "PY86074338", "date_of_issue": "17.05.2026", "authorité": "YEBGA AISSATOU",
        "mere_mother": "FRU FADIMATOU", "lieu_of_birth": "AMBAM", "profession": "OPERATEUR ECONOMIQUE",
    }  # fmt: skip


def test_elsewhere_a_label_that_begins_a_line_may_be_a_value_s_word() -> None:
    shown = page("cni-2025-verso", INLINE[2:])
    assert not any(shown.readings[n].rest for n in (0, 1, 3))


@pytest.mark.parametrize(
    ("text", "label"),
    [("FUNDONG (HOPITAL", False), ("DOUALA (LITTORAL)", False), ("SEXE (M/F)", True), ("Place of birth (town)", True)],
)
def test_a_place_may_have_brackets(text: str, label: bool) -> None:
    assert looks_like_label(text) is label

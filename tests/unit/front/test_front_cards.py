"""Several cards on one picture are parted, each with its own lines; one card is never cut."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.data import distractors
from adapters.data.samples import text_samples
from ocr_frontend.documents.cards import Card, cards_on
from ocr_frontend.documents.classify import Classifier
from ocr_frontend.documents.registry import builtin
from ocr_frontend.ocr.textline import TextLine
from tests.unit.front.pages import RECTO, line

CLASSIFIER = Classifier(builtin())
VERSO = (
    "CAMEROUN CAMEROON", "PERE/FATHER", "ABENA", "MERE/MOTHER", "NGONO", "S.P./S.M.", "012345",
    "DATE DE DELIVRANCE/DATE OF ISSUE", "01.02.2020", "IDENTIFIANT UNIQUE/UNIQUE IDENTIFIER", "20201234567890123",
    "AUTORITE/AUTHORITY", "MARTIN", "123456789",
)  # fmt: skip
OTHER = tuple({"MBARGA": "TCHOUPO", "ELISE": "JEAN"}.get(text, text) for text in RECTO)


def put(texts: tuple[str, ...], left: int, top: int, tilt: float = 0.0) -> list[TextLine]:
    """Two columns would be a card's; one is enough: lines of 20 pixels, 30 apart, turned about the page's corner."""
    cosine, sine = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))

    def at(x: float, y: float) -> tuple[int, int]:
        return round(x * cosine - y * sine), round(y * cosine + x * sine)

    found = []
    for row, text in enumerate(texts):
        a, b, y = left, left + 11 * len(text), top + 30 * row
        found.append(TextLine(text, 0.97, (at(a, y), at(b, y), at(b, y + 20), at(a, y + 20))))
    return found


def page(*cards: list[TextLine]) -> list[TextLine]:
    """As a reader orders them: by rows, over all cards."""
    return sorted((line for card in cards for line in card), key=lambda line: (line.box[0][1] // 10, line.box[0][0]))


def shown(cards: list[Card]) -> list[tuple[str | None, set[str]]]:
    return [
        (document.name if (document := card.detection.document) else None, {line.text for line in card.lines})
        for card in cards
    ]


@pytest.mark.parametrize("tilt", [0, 4, -7])
@pytest.mark.parametrize(("left", "top"), [(0, 470), (560, 0), (560, 200), (600, 470)])
def test_recto_and_verso_on_one_page(left: int, top: int, tilt: float) -> None:
    cards = cards_on(page(put(RECTO, 40, 40, tilt), put(VERSO, 40 + left, 40 + top, tilt)), CLASSIFIER)
    assert shown(cards) == [("cni-2018-recto", set(RECTO)), ("cni-2018-verso", set(VERSO))]


@pytest.mark.parametrize(("left", "top"), [(560, 0), (0, 470), (580, 60)])
def test_two_people_s_cards_are_never_one(left: int, top: int) -> None:
    cards = cards_on(page(put(RECTO, 40, 40), put(OTHER, 40 + left, 40 + top)), CLASSIFIER)
    assert [card.detection.document and card.detection.document.name for card in cards] == ["cni-2018-recto"] * 2
    assert not any(card.detection.several for card in cards)
    mine, theirs = ({line.text for line in card.lines} for card in cards)
    assert {"MBARGA", "ELISE"} <= mine and {"TCHOUPO", "JEAN"} <= theirs and not {"MBARGA", "ELISE"} & theirs


def test_four_cards_on_a_page() -> None:
    cards = cards_on(
        page(put(RECTO, 40, 40), put(VERSO, 600, 40), put(OTHER, 40, 520), put(VERSO, 600, 520)), CLASSIFIER
    )
    assert [card.detection.document and card.detection.document.side for card in cards] == ["recto", "verso"] * 2


def test_a_title_over_both_cards_is_in_nobody_s_way() -> None:
    title = put(("COPIE CERTIFIEE CONFORME A L'ORIGINAL PRESENTE A L'OFFICIER LE JOUR MEME " * 2,), 40, 10)
    cards = cards_on(page(title, put(RECTO, 40, 60), put(VERSO, 560, 60)), CLASSIFIER)
    assert [card.detection.document and card.detection.document.side for card in cards] == ["recto", "verso"]


def test_cards_that_cannot_be_told_apart_are_said_to_be_several() -> None:
    woven = [
        line
        for row, text in enumerate(RECTO)
        for line in (*put((text,), 40, 60 * row), *put((text,), 60, 60 * row + 30))
    ]
    [card] = cards_on(woven, CLASSIFIER)
    assert card.detection.several


def test_one_card_is_never_cut() -> None:
    """Simulated cards of all documents as OCR reads them, damaged labels too, each laid out in rows of one or two."""
    rng = random.Random(5)
    for sample in text_samples(5, 300, "valid", list(builtin().readable)):  # type: ignore[arg-type]
        lines, row = [], 0
        for each in sample.lines:
            beside = rng.random() < 0.3
            row += not beside
            lines.append(TextLine(each.text, each.score, put((each.text,), 400 if beside else 40, 34 * row)[0].box))
        [card] = cards_on(lines, CLASSIFIER)
        assert len(card.lines) == len(lines)


@given(st.lists(st.tuples(st.sampled_from([*RECTO, *VERSO]), st.integers(0, 2000), st.integers(0, 2000)), max_size=40))
def test_no_line_is_lost_or_given_twice(found: list[tuple[str, int, int]]) -> None:
    lines = [put((text,), left, top)[0] for text, left, top in found]
    cards = cards_on(lines, CLASSIFIER)
    assert sorted(map(id, lines)) == sorted(id(line) for card in cards for line in card.lines) and cards


def test_lines_without_height_end() -> None:
    flat = [TextLine(text, 0.9, ((x, 0), (x + 90, 0), (x + 90, 0), (x, 0))) for x in (0, 900) for text in RECTO]
    assert sum(len(card.lines) for card in cards_on(flat, CLASSIFIER)) == len(flat)


@pytest.mark.parametrize("seed", range(12))
def test_an_application_form_is_no_cards(seed: int) -> None:
    """Nine to fifteen labels of all four documents, with dots behind them: however it is cut, it is one page."""
    rows = distractors._form(random.Random(seed))
    (card,) = cards_on([line(text, row) for row, text in enumerate(rows)], CLASSIFIER)
    assert card.detection.document is None

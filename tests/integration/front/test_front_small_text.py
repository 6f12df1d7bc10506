"""The real PaddleOCR on drawn cards that are small on a page or a photo, several on one picture, or mirrored."""

import io
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageOps

from adapters.data.cards import DrawnCard, draw_card
from adapters.data.documents import DocumentName
from adapters.data.hard.damage import copied
from ocr_frontend.documents.cards import Card, cards_on
from ocr_frontend.documents.classify import Classifier
from ocr_frontend.documents.registry import builtin
from ocr_frontend.ocr.limits import Limits
from ocr_frontend.ocr.onnx_models import cache_root
from ocr_frontend.ocr.reader import OcrOptions, PaddleReader
from ocr_frontend.ocr.scan import Page, scan

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
CLASSIFIER = Classifier(builtin())
A4, PHOTO = (2480, 3508), (4000, 3000)
RECTO, VERSO = "cni-2018-recto", "cni-2018-verso"


@cache
def reader() -> PaddleReader:
    return PaddleReader(OcrOptions(cache=cache_root(), threads=1))


@cache
def drawn(document: DocumentName, person: int = 0) -> DrawnCard:
    return draw_card(7, person, "valid", document, "clean")


def composed(size: tuple[int, int], *cards: tuple[DrawnCard, int, int, int], grey: int = 255) -> Image.Image:
    """Each card with its left, top and width on a plain ground."""
    ground = Image.new("RGB", size, (grey, grey, grey))
    for card, left, top, width in cards:
        image = card.card.image.convert("RGB")
        ground.paste(image.resize((width, round(image.height * width / image.width))), (left, top))
    return ground


def read(image: Image.Image) -> Page:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return scan(reader(), out.getvalue(), Limits(50_000_000), count_labels=CLASSIFIER.labels)


def found(lines: tuple[object, ...], card: DrawnCard) -> int:
    """Printed values that stand in the text, of all."""
    text = "|".join(str(getattr(line, "text", "")) for line in lines).upper().replace(" ", "")
    return sum(value.upper().replace(" ", "") in text for value in card.record.printed.values() if value)


def printed(card: DrawnCard) -> int:
    return sum(bool(value) for value in card.record.printed.values())


def documents(cards: list[Card]) -> list[str]:
    return [card.detection.document.name if card.detection.document else "?" for card in cards]


@pytest.mark.parametrize(
    ("size", "width", "grey"),
    [(A4, 1010, 255), (A4, 600, 255), (PHOTO, 1200, 90), (PHOTO, 800, 90), (PHOTO, 480, 90)],
    ids=["a4", "small", "photo at 30 %", "photo at 20 %", "photo at 12 %"],
)
def test_a_small_card_is_read_as_a_large_one(size: tuple[int, int], width: int, grey: int) -> None:
    recto = drawn(RECTO)
    page = read(composed(size, (recto, 500, 700, width), grey=grey))
    assert found(page.lines, recto) >= printed(recto) - 1
    assert documents(cards_on(page.lines, CLASSIFIER)) == [RECTO]
    assert all(480 <= x <= 520 + width and 680 <= y <= 720 + width for line in page.lines for x, y in line.box)


def test_both_sides_on_one_page_are_two_cards() -> None:
    recto, verso = drawn(RECTO), drawn(VERSO)
    page = read(composed(A4, (recto, 700, 400, 1010), (verso, 700, 1300, 1010)))
    first, second = cards_on(page.lines, CLASSIFIER)
    assert documents([first, second]) == [RECTO, VERSO]
    assert found(first.lines, recto) >= printed(recto) - 1 and found(second.lines, verso) >= printed(verso) - 1
    assert found(first.lines, verso) <= 1 and found(second.lines, recto) <= 1


def test_two_people_side_by_side_are_two_cards() -> None:
    one, other = drawn(RECTO, 0), drawn(RECTO, 1)
    page = read(composed((3000, 1400), (one, 200, 300, 1200), (other, 1600, 320, 1200), grey=120))
    first, second = cards_on(page.lines, CLASSIFIER)
    assert documents([first, second]) == [RECTO, RECTO]
    assert found(first.lines, one) >= printed(one) - 1 and found(second.lines, other) >= printed(other) - 1
    names = one.record.printed["nom_surname"], other.record.printed["nom_surname"]
    assert not any(names[1] == line.text for line in first.lines)
    assert not any(names[0] == line.text for line in second.lines)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_photocopy_is_read(seed: int) -> None:
    recto = drawn(RECTO, seed)
    flat = np.asarray(composed((1500, 1100), (recto, 200, 150, 1000)), np.float32)
    copy = np.clip(copied(np.random.default_rng(seed), flat), 0, 255).astype(np.uint8)
    page = read(Image.fromarray(copy))
    assert documents(cards_on(page.lines, CLASSIFIER)) == [RECTO]
    assert found(page.lines, recto) >= printed(recto) - 1


@pytest.mark.parametrize("size", [(1300, 900), PHOTO])
def test_a_mirrored_card_is_read_flipped(size: tuple[int, int]) -> None:
    recto = drawn(RECTO)
    page = read(ImageOps.mirror(composed(size, (recto, 120, 100, 1000), grey=120)))
    assert page.mirrored and found(page.lines, recto) >= printed(recto) - 1

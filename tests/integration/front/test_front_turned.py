"""The real PaddleOCR over a card that was sent turned: the same lines, and boxes on the picture as sent."""

from pathlib import Path

import numpy as np
import pytest

from ocr_frontend.ocr.images import Limits, Pixels, decode
from ocr_frontend.ocr.onnx_models import cache_root
from ocr_frontend.ocr.orientation import read_upright
from ocr_frontend.ocr.reader import OcrOptions, PaddleReader
from ocr_frontend.ocr.textline import TextLine

pytestmark = pytest.mark.e2e
SAMPLE = Path(__file__).parents[3] / "docs/sample-2018-recto.jpg"


@pytest.fixture(scope="module")
def reader() -> PaddleReader:
    return PaddleReader(OcrOptions(cache=cache_root(), threads=1))


@pytest.fixture(scope="module")
def card() -> Pixels:
    return decode(SAMPLE.read_bytes(), Limits(50_000_000)).pixels


@pytest.fixture(scope="module")
def upright(reader: PaddleReader, card: Pixels) -> list[TextLine]:
    return read_upright(reader.read, card)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_card_reads_as_the_upright_one(
    reader: PaddleReader, card: Pixels, upright: list[TextLine], turns: int
) -> None:
    sent = np.ascontiguousarray(np.rot90(card, turns))
    found = read_upright(reader.read, sent)
    assert [line.text for line in found] == [line.text for line in upright]
    height, width = sent.shape[:2]
    assert all(0 <= x < width and 0 <= y < height for line in found for x, y in line.box)
    # The name's box on the sent picture holds the pixels of its box on the upright one.
    for there, here in zip(upright, found, strict=True):
        mask = np.zeros(card.shape[:2], bool)
        xs, ys = [x for x, _ in there.box], [y for _, y in there.box]
        mask[min(ys) : max(ys), min(xs) : max(xs)] = True
        rows, columns = np.nonzero(np.rot90(mask, turns))
        a, b = [x for x, _ in here.box], [y for _, y in here.box]
        assert abs(columns.min() - min(a)) <= 2 and abs(rows.max() - max(b)) <= 2

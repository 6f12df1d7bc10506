"""The real PaddleOCR over values that stand on a pale watermark: read alone they are whole."""

import io
from importlib.resources import files

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ocr_frontend.ocr.images import Pixels
from ocr_frontend.ocr.overprint import without_overprint
from ocr_frontend.ocr.reader import PaddleReader
from ocr_frontend.settings import load_settings

pytestmark = pytest.mark.e2e
FONT = files("matplotlib").joinpath("mpl-data/fonts/ttf/DejaVuSans-Bold.ttf").read_bytes()
TEXTS = ("NOM/SURNAME", "NGO MBARGA", "LIEU DE NAISSANCE", "OBAAKOOUM", "N° DE CARTE", "586398745", "TAILLE", "1,66")
OVER = ("OBAAKOOUM", "586398745")


def page() -> Pixels:
    image = Image.new("RGB", (900, 620), (236, 240, 232))
    draw = ImageDraw.Draw(image)
    for row, text in enumerate(TEXTS):
        if text in OVER:
            draw.text((300, 70 * row), "SPECIMEN", fill=(196, 200, 205), font=ImageFont.truetype(io.BytesIO(FONT), 96))
    for row, text in enumerate(TEXTS):
        draw.text((60, 40 + 70 * row), text, fill=(25, 25, 25), font=ImageFont.truetype(io.BytesIO(FONT), 30))
    return np.asarray(image)


def test_a_value_on_a_watermark_is_read_whole_and_alone() -> None:
    reader, image = PaddleReader(load_settings().ocr_options()), page()
    first = reader.read(image)
    before, after = ([line.text for line in found] for found in (first, without_overprint(reader.read, image, first)))
    assert not set(OVER) <= set(before)  # or the picture shows nothing
    assert set(OVER) <= set(after)
    assert [text for text in after if text in TEXTS] == [text for text in TEXTS if text in after]

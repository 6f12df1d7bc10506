"""The real PaddleOCR on pictures drawn here: the loader, the reading order, the boxes, the pool, the command line."""

import io
import json
import threading
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ocr_frontend.cli.main import main
from ocr_frontend.ocr.cancellation import Stopped, until
from ocr_frontend.ocr.onnx_models import characters, prepare_models
from ocr_frontend.ocr.reader import PaddleReader, TextLine
from ocr_frontend.settings import load_settings
from tests.integration.front.fakes import FakeModelServer, running

pytestmark = pytest.mark.e2e
# A font with accents that is in every development environment; matplotlib itself is not needed.
FONT = files("matplotlib").joinpath("mpl-data/fonts/ttf/DejaVuSans.ttf").read_bytes()
TEXTS = (
    "NOM/SURNAME", "NGO MBARGA", "PRENOMS/GIVEN NAMES", "ÉLISE FRANÇOISE", "DATE DE NAISSANCE", "02.01.1990",
    "NGAOUNDÉRÉ", "1,66 m",
)  # fmt: skip


@cache
def reader() -> PaddleReader:
    return PaddleReader(load_settings().ocr_options())


def card(size: tuple[int, int] = (900, 560)) -> Image.Image:
    image = Image.new("RGB", size, (236, 240, 232))
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(io.BytesIO(FONT), 30)
    for row, text in enumerate(TEXTS):
        draw.text((60, 40 + 60 * row), text, fill=(20, 20, 20), font=font)
    return image


def test_text_order_scores_and_boxes() -> None:
    lines = reader().read(np.asarray(card()))
    assert tuple(line.text for line in lines) == TEXTS
    for row, line in enumerate(lines):
        assert 0.8 < line.confidence <= 1
        xs, ys = [x for x, _ in line.box], [y for _, y in line.box]
        assert 40 < min(xs) < 70 and 30 + 60 * row < min(ys) < max(ys) < 95 + 60 * row


def test_boxes_of_a_large_photo_are_in_its_own_pixels() -> None:
    lines = reader().read(np.asarray(card().resize((3600, 2240))))
    assert tuple(line.text for line in lines) == TEXTS
    assert 2000 > lines[-1].box[0][1] > 1700


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (40, 40), (2000, 10)])
def test_pictures_without_text(size: tuple[int, int]) -> None:
    assert reader().read(np.full((size[1], size[0], 3), 200, np.uint8)) == []


def test_the_models_are_written_once(tmp_path: Path) -> None:
    folders = prepare_models(tmp_path)
    model = folders.recognition / "inference.onnx"
    written = model.stat().st_mtime_ns
    assert prepare_models(tmp_path) == folders and model.stat().st_mtime_ns == written
    model.write_bytes(b"cut off")
    prepare_models(tmp_path)
    assert model.stat().st_size > 20_000_000
    assert list(tmp_path.rglob(".*")) == []
    known = characters(model)
    assert len(known) == 18_708 and all(len(character) == 1 for character in known) and {"É", "<", "ç"} <= set(known)


def test_a_read_can_be_stopped_and_the_reader_goes_on() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped), until(stop):
        reader().read(np.asarray(card()))
    assert tuple(line.text for line in reader().read(np.asarray(card()))) == TEXTS


async def test_a_card_through_the_service() -> None:
    out = io.BytesIO()
    card().save(out, "JPEG", quality=95)
    async with running(reader(), FakeModelServer("[1,3,5,6,null,7,null]")) as front:  # type: ignore[arg-type]
        body = (await front.extract(out.getvalue())).json()
    assert body["data"] == {
        "nom_surname": "NGO MBARGA", "prenom_given_name": "ÉLISE FRANÇOISE", "date_of_birth": "02.01.1990",
        "lieu_of_birth": "NGAOUNDÉRÉ", "sex": None, "taille": 1.66, "profession": None,
    }  # fmt: skip


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    card().save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no image")
    monkeypatch.setattr("ocr_frontend.cli.lines.PaddleReader", lambda *_: reader())
    assert main(["lines", str(tmp_path), "--out", str(tmp_path / "lines.jsonl")]) == 1
    assert "b.png" in capsys.readouterr().err
    [record] = map(json.loads, (tmp_path / "lines.jsonl").read_text("utf-8").splitlines())
    assert (record["file"], record["size"]) == ("a.png", [900, 560])
    assert tuple(TextLine(**line).text for line in record["lines"]) == TEXTS

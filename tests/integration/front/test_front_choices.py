"""`python -m ocr_frontend choices`: drawn cards in, every choice of lines out."""

import gzip
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from ocr_frontend.cli.choices import run
from ocr_frontend.settings import Settings
from tests.integration.front.fakes import RECTO_FIELDS, RECTO_TEXT, FakeModelServer, FakeReader, picture


def write_cards(folder: Path, *files: str) -> None:
    entries = [{"file": file, "document": "cni-2018-recto"} for file in files]
    (folder / "cards.jsonl").write_text("".join(json.dumps(each) + "\n" for each in entries))
    for file in files:
        (folder / file).write_bytes(picture() if file.startswith("card") else b"no picture")


def choices_of(folder: Path, server: FakeModelServer) -> tuple[int, list[dict[str, Any]]]:
    out = folder / "choices.jsonl.gz"
    http = httpx.AsyncClient(transport=httpx.MockTransport(server), base_url="http://server")
    code = run(folder, out, "cni", Settings(ocr_workers=1, rerank=False), lambda: FakeReader(*RECTO_TEXT), http)
    if not out.exists():
        return code, []
    with gzip.open(out, "rt", encoding="utf-8") as file:
        return code, [json.loads(line) for line in file]


def test_each_card_has_every_set_with_its_value_and_a_refused_one_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_cards(tmp_path, "card-1.jpg", "broken.jpg", "card-2.jpg")
    code, cards = choices_of(tmp_path, FakeModelServer())
    assert code == 0 and [card["file"] for card in cards] == ["card-1.jpg", "card-2.jpg"]
    assert "2 cards; 1 were refused" in capsys.readouterr().err
    assert set(cards[0]["fields"]) == set(RECTO_FIELDS)
    born = {tuple(each["lines"]): each for each in cards[0]["fields"]["date_of_birth"]}
    assert born[(6,)]["value"] == "01.02.1990" and born[()]["value"] is None
    assert born[(6,)]["features"]["model_same"] == 1 and born[()]["features"]["model_same"] == 0


def test_a_folder_without_cards_and_a_model_that_nobody_serves_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert choices_of(tmp_path, FakeModelServer()) == (2, [])
    assert "adapters cards" in capsys.readouterr().err
    write_cards(tmp_path, "card-1.jpg")
    server = FakeModelServer()
    server.cards = server.cards[:1]
    assert choices_of(tmp_path, server) == (1, [])
    assert "does not serve a model of that name" in capsys.readouterr().err

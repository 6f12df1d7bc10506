"""Somebody's own labelled pictures: what is asked for, what is refused by line, and what is written."""

import argparse
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.errors import DataError
from adapters.evaluation import pictures, run
from adapters.evaluation.pictures import read_labelled

VALUES = {"numero_de_carte": "123456789", "nom_surname": "AKUM", "prenom_given_name": None,
          "date_of_birth": "01.02.1990", "sex": "F", "date_of_expiration": None}  # fmt: skip
CARD = {"file": "a.jpg", "document": "cni-2025-recto", "values": VALUES}


def folder_of(tmp_path: Path, *cards: Any, name: str = "counter") -> Path:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"picture")
    (folder / "cards.jsonl").write_text("".join(json.dumps(card) + "\n" for card in cards))
    return folder


def test_a_folder_is_a_condition(tmp_path: Path) -> None:
    (truth,) = read_labelled(folder_of(tmp_path, CARD))
    assert (truth.condition, truth.document, truth.values) == ("counter", "cni-2025-recto", VALUES)


@pytest.mark.parametrize(
    ("cards", "told"),
    [
        ([], "names no picture"),
        ([CARD, {**CARD, "values": None}], "line 2"),
        ([{**CARD, "document": "passport"}], "none of cni-2018-recto"),
        ([{**CARD, "file": "b.jpg"}], "b.jpg is not in"),
        ([{**CARD, "values": {**VALUES, "sexe": "F"}}], "sexe"),
        ([{**CARD, "values": {key: VALUES[key] for key in VALUES if key != "sex"}}], "sex"),
        ([{**CARD, "values": {**VALUES, "numero_de_carte": 123456789}}], "`numero_de_carte` is no text"),
        ([[CARD]], "is not a JSON object"),
    ],
)
def test_what_is_wrong_is_named_by_its_line_and_no_value_is_told(tmp_path: Path, cards: list[Any], told: str) -> None:
    with pytest.raises(DataError, match=told) as refused:
        read_labelled(folder_of(tmp_path, *cards))
    assert "AKUM" not in str(refused.value)


def test_scores_are_told_by_folder_and_hold_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[bytes] = []

    def front(request: httpx.Request) -> httpx.Response:
        asked.append(request.content)
        assert request.headers["authorization"] == "Bearer secret"
        fields = {key: {"value": value, "source": "ocr", "confidence": 0.9} for key, value in VALUES.items()}
        answer = {"data": VALUES | {"sex": "M"}, "fields": fields, "model": "cni@0", "timings_ms": {}}
        return httpx.Response(200, json={**answer, "ocr": {"lines": [{"text": "AKUM"}]}})

    real = httpx.AsyncClient
    monkeypatch.setattr(
        run.httpx, "AsyncClient", lambda **options: real(transport=httpx.MockTransport(front), **options)
    )
    folders = [folder_of(tmp_path, CARD, name=name) for name in ("counter", "office")]
    parser = argparse.ArgumentParser()
    pictures.add_parser(parser.add_subparsers())
    out = tmp_path / "out"
    args = parser.parse_args(["evaluate-pictures", *map(str, folders), "--key", "secret", "--out", str(out)])
    assert args.run(args) == 0
    body = json.loads((out / "pictures.json").read_text())
    assert body["document"] == "auto" and body["model"] == "cni@0" and all(b"auto" in each for each in asked)
    rows = {(row["document"], row["condition"]): row["fields_exact"] for row in body["rows"]}
    assert rows["all", "counter"] == rows["cni-2025-recto", "office"] == pytest.approx(5 / 6)
    assert body["confidence"]["counter"]["wrong_at_confidence_90"] == pytest.approx(1 / 6)
    said = (out / "pictures.json").read_text() + (out / "pictures.md").read_text() + capsys.readouterr().out
    assert "AKUM" not in said and "123456789" not in said

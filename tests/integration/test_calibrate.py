"""`adapters calibrate` and `adapters evaluate` against a front that answers as the contract says."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.__main__ import main
from adapters.data.cards import CONDITIONS
from adapters.data.documents import DOCUMENT_NAMES, fields_of
from adapters.evaluation import calibrate, run
from ocr_frontend.documents.evidence import VERSION
from ocr_frontend.extraction.confidence import Calibration, load_calibration

MODEL = "cni@0123456789ab"


def write_set(folder: Path, count: int, conditions: Sequence[str]) -> None:
    """A drawn set without pictures worth the name."""
    folder.mkdir()
    with (folder / "cards.jsonl").open("w") as lines:
        for index in range(count):
            document = DOCUMENT_NAMES[index % 4]
            (folder / f"{index}.png").write_bytes(b"x")
            condition = conditions[index // 4 % len(conditions)]
            values = dict.fromkeys(fields_of(document), "AKUM")
            lines.write(
                json.dumps({"file": f"{index}.png", "document": document, "condition": condition, "values": values})
                + "\n"
            )


class Front:
    """Wrong the more often, the less sure its model was."""

    def __init__(self) -> None:
        self.rng = random.Random(4)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        document = next(name for name in DOCUMENT_NAMES if name.encode() in request.content)
        data, fields = {}, {}
        for key in fields_of(document):
            odds = self.rng.gauss(2, 1.5)
            chance = 2.718281828**odds / (1 + 2.718281828**odds)
            data[key] = "AKUM" if self.rng.random() < chance else "AKOM"
            fields[key] = {"confidence": round(chance, 4), "evidence": {"model": odds, "text": 1.0}}
        body = {
            "data": data,
            "model": MODEL,
            "fields": fields,
            "ocr": {"lines": [{"text": "AKUM"}]},
            "timings_ms": {"llm": 1},
        }
        return httpx.Response(200, content=json.dumps(body))


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch) -> None:
    real, answering = httpx.AsyncClient, Front()
    monkeypatch.setattr(
        run.httpx, "AsyncClient", lambda **options: real(transport=httpx.MockTransport(answering), **options)
    )


def test_one_command_gives_weights_that_the_front_loads(
    front: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_set(tmp_path / "cards", 40 * len(calibrate.LEARNT), calibrate.LEARNT)
    (tmp_path / "report").mkdir()
    weights = tmp_path / "weights.json"
    weights.write_text(json.dumps({"evidence": VERSION, "models": {"other@1": {"intercept": 1, "weights": {}}}}))
    command = ["adapters", "calibrate", "--count", "10", "--cards", str(tmp_path / "cards")]
    monkeypatch.setattr("sys.argv", [*command, "--out", str(weights), "--report", str(tmp_path / "report")])
    assert main() == 0
    told = capsys.readouterr().out
    assert "clean: 290 fields" in told and f"weights of {MODEL}" in told
    calibration = load_calibration(weights)
    fitted = calibration.of(MODEL)
    assert fitted is not None and calibration.of("other@1") is not None
    sure, unsure = (fitted.confidence({"model": odds, "text": 1.0}) for odds in (5.0, -2.0))
    assert sure > 0.95 and unsure < 0.3
    kept = json.loads(weights.read_text())["models"][MODEL]["cross_validated"]
    # Of 290 fields a condition 0.03 to 0.08 is chance: all of them together say whether the weights are honest.
    errors = [kept[name]["calibration_error"] for name in calibrate.LEARNT]
    assert sum(errors) / len(errors) < 0.06, errors
    assert all(kept[name]["right_at_80"] > kept[name]["right"] for name in calibrate.LEARNT)
    assert (tmp_path / "report" / "calibration.png").stat().st_size > 10_000


def test_the_weights_of_an_adapter_of_ones_own_travel_with_it(
    front: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_set(tmp_path / "cards", 8 * len(calibrate.LEARNT), calibrate.LEARNT)
    folder = tmp_path / "registry" / MODEL.replace("@", "/")
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "name": "cni"}))
    command = ["adapters", "calibrate", "--count", "2", "--cards", str(tmp_path / "cards")]
    monkeypatch.setattr("sys.argv", [*command, "--registry", str(tmp_path / "registry"), "--report", str(tmp_path)])
    assert main() == 0
    assert f"weights of {MODEL}: its server tells them" in capsys.readouterr().out
    kept = json.loads((folder / "manifest.json").read_text())
    assert kept["name"] == "cni"
    weights = Calibration({}).of(MODEL, kept["calibration"])
    assert weights is not None and weights.confidence({"model": 5.0, "text": 1.0}) > 0.9


def test_the_evaluation_keeps_what_the_confidences_are_worth(
    front: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set(tmp_path / "cards", 120, CONDITIONS)
    (tmp_path / "out").mkdir()
    command = ["adapters", "evaluate", "--model", "cni", "--count", "10", "--cards", str(tmp_path / "cards")]
    monkeypatch.setattr("sys.argv", [*command, "--out", str(tmp_path / "out")])
    assert main() == 0
    kept: dict[str, Any] = json.loads((tmp_path / "out" / "confidence.json").read_text())
    assert {"model", "commit", "date", "machine"} <= set(kept)
    found = kept["conditions"]
    assert set(found) == set(CONDITIONS) and found["photo"]["fields"] == 290
    assert found["photo"]["right_at_80"] > found["photo"]["right"]
    assert (tmp_path / "out" / "confidence.png").exists()

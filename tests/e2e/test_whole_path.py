"""A card photo in, its fields out: `make up`, the printed curl line, the real vLLM, the real PaddleOCR."""

import json
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from adapters.data.cards import draw_card
from adapters.data.documents import DOCUMENT_NAMES, DocumentName
from adapters.evaluation.metrics import judge
from benchmarks.first_hour import PRINTED
from tests.e2e.conftest import ROOT, Services
from tests.support.notebook import run_notebook

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1200)]


def test_the_printed_curl_line_works_as_printed(services: Services) -> None:
    done = subprocess.run(services.curl, capture_output=True, text=True, check=True)
    reply = json.loads(done.stdout)
    assert reply["document"] == "cni-2018-recto"
    assert reply["model"].startswith("cni@")
    assert reply["data"] == PRINTED
    assert set(reply["timings_ms"]) >= {"decode", "ocr", "llm", "total"}
    # The engine tells the log-probabilities of its tokens, and they fall on the elements.
    evidence = [field["evidence"] for field in reply["fields"].values()]
    assert all("model" in numbers and "model_unknown" not in numbers for numbers in evidence)


@pytest.mark.parametrize("document", DOCUMENT_NAMES)
def test_unseen_cards_of_every_document_are_read(services: Services, tmp_path: Path, document: DocumentName) -> None:
    right = total = 0
    for index in range(3):
        card = draw_card(99, index, "test", document, "clean")
        card.card.image.save(tmp_path / "card.png")
        files = {"image": ("card.png", (tmp_path / "card.png").read_bytes(), "image/png")}
        form = {"document": document, "model": "cni"}
        reply = httpx.post(f"{services.front}/v1/extract", files=files, data=form, timeout=120).json()
        lines = [line["text"] for line in reply["ocr"]["lines"]]
        from adapters.data.documents import fields_of

        for key, kind in fields_of(document).items():
            seen = judge(key, kind, card.record.values[key], reply["data"][key], lines)
            total += seen.ceiling
            right += seen.exact and seen.ceiling
    # A floor far below the measured score: this tells a working path from a broken one, the evaluation tells how good.
    assert right / total >= 0.8


def test_the_examples_run(services: Services) -> None:
    sample = "docs/sample-2018-recto.jpg"
    commands = {
        "NZENGESSI": ["examples/read_card.sh", sample, services.front],
        "cni-2018-recto, read by cni@": [sys.executable, "examples/read_card.py", sample, services.front],
        "cni@": [sys.executable, "examples/ask_model_server.py", services.server],
    }
    for said, command in commands.items():
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
    done = run_notebook(ROOT / "examples/read_a_card.ipynb", FRONT=services.front, SERVER=services.server)
    assert done.returncode == 0, done.stderr
    for said in ("OCR front: ready", "model server: ready", "cni-2018-recto, read by cni@", "YINGUI", "\ncni@"):
        assert said in done.stdout


def test_the_old_route_answers_old_clients(services: Services) -> None:
    image = (ROOT / "docs/sample-2018-recto.jpg").read_bytes()
    form = {"model": "cni", "version": "2018", "side": "recto"}
    reply = httpx.post(f"{services.front}/upload", files={"file": ("a.jpg", image)}, data=form, timeout=120).json()
    assert reply["success"] is True
    assert reply["extracted_data"]["nom_surname"] == "NZENGESSI"
    assert "NZENGESSI" in reply["raw_text"]


def test_models_are_listed_by_both(services: Services) -> None:
    served = {model["id"] for model in httpx.get(f"{services.server}/v1/models").json()["data"]}
    assert {"SmolLM2-135M-Instruct", "cni"} <= served
    shown = {m["id"]: m["has_adapter"] for m in httpx.get(f"{services.front}/models").json()["models"]}
    assert shown["cni"] is True
    assert shown["SmolLM2-135M-Instruct"] is False


def test_metrics_count_and_nothing_personal_is_written(services: Services) -> None:
    for base in (services.server, services.front):
        text = httpx.get(f"{base}/metrics").text
        assert "process_resident_memory_bytes" in text or "memory_bytes" in text
        assert "NZENGESSI" not in text
    for log in (ROOT / "runs" / "up").rglob("*.log"):
        written = log.read_text()
        assert "NZENGESSI" not in written
        assert "21.12.1978" not in written


def test_ctrl_c_stops_everything_and_exits_with_0(services: Services) -> None:
    """Last in this file: it ends the services that the other tests use."""
    started = psutil.Process(services.up.process.pid).children(recursive=True)
    assert services.up.ctrl_c() == 0, services.up.output
    deadline = time.monotonic() + 30
    while any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in started):
        assert time.monotonic() < deadline, "something is still running"
        time.sleep(0.2)

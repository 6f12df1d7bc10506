"""What manifests, alerts and runbooks say of the front's memory is what was measured, and its limits hold it."""

import json
import re
from pathlib import Path

import pytest
import yaml

from ocr_frontend.settings import Settings
from tests.unit.deploy.manifests import HERE, named, rendered, settings_of
from tests.unit.deploy.names import ROOT, rules

MEASURED = json.loads((ROOT / "benchmarks/results/front_memory.json").read_text("utf-8"))
MOST = MEASURED["mib_most"] * 2**20
COMPOSE = ROOT / "deploy/compose/compose.yaml"
RUNBOOKS = ROOT / "docs/runbooks"
# Wide enough for another run on another machine; a change that matters for a limit is wider.
TAKES = [
    COMPOSE, HERE / "base/front.env", HERE / "base/front.yaml", RUNBOOKS / "ProcessRestarting.md",
    RUNBOOKS / "ProcessRestarting.fr.md",
]  # fmt: skip
GROWS = [ROOT / "deploy/prometheus/rules/alerts.yml", RUNBOOKS / "MemoryGrowth.md", RUNBOOKS / "MemoryGrowth.fr.md"]


def _said(file: Path, unit: str) -> float:
    [said] = set(re.findall(rf"(\d+[.,]\d+) (?:{unit})", file.read_text("utf-8")))
    return float(said.replace(",", "."))


@pytest.mark.parametrize("file", TAKES, ids=lambda file: file.name)
def test_what_a_front_takes(file: Path) -> None:
    assert _said(file, "GB|Go") * 1e9 == pytest.approx(MOST, rel=0.15)


@pytest.mark.parametrize("file", GROWS, ids=lambda file: file.name)
def test_how_it_grows(file: Path) -> None:
    grown = MEASURED["mib_per_1000_cards_after_first_quarter"]
    assert _said(file, "MiB a thousand|Mio par millier") == pytest.approx(grown, rel=0.3)


def _needed(given: dict[str, str]) -> float:
    """Of its workers, a hostile picture and uploads."""
    taken = Settings.model_validate({key.removeprefix("OCR_FRONT_").lower(): given[key] for key in given})
    return taken.ocr_workers * MOST + taken.decode_bytes + taken.upload_bytes


def test_the_limits_hold_it_and_are_the_alerts() -> None:
    [rule] = [rule for rule in rules() if rule.get("alert") == "FrontMemoryGrowth"]
    gib = re.search(r"or ([\d.]+) \* 1024 \^ 3 \* ocr_front_ocr_workers", rule["expr"])
    assert gib is not None
    documents = rendered(HERE / "base")
    [front] = named("Deployment", documents)["cni-front"]["spec"]["template"]["spec"]["containers"]
    limit = int(front["resources"]["limits"]["memory"].removesuffix("Mi")) << 20
    assert float(gib[1]) * 2**30 == limit > _needed(settings_of(documents, "cni-front"))


def test_composes_limit_holds_it_whatever_the_machines_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocr_frontend.settings.usable_cores", lambda: 64)
    service = yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", COMPOSE.read_text("utf-8")))["services"]["front"]
    keys = ("OCR_FRONT_OCR_WORKERS", "OCR_FRONT_DECODE_BYTES", "OCR_FRONT_UPLOAD_BYTES")
    given = {key: value for key, value in service["environment"].items() if key in keys}
    assert int(service["mem_limit"].removesuffix("m")) << 20 > _needed(given)

"""The capacity model: the document is what it computes, and it moves the right way."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.capacity.__main__ import filled, tables
from deploy.capacity.inputs import ASSUMED, MEASURED, Inputs, read_inputs
from deploy.capacity.model import FILLED, FRONT_CORES, RATES, on_cpu, on_gpu

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def inputs() -> Inputs:
    return read_inputs(ROOT / "benchmarks/results")


def test_the_document_is_what_is_computed(inputs: Inputs) -> None:
    text = (ROOT / "docs/reference/capacity.md").read_text("utf-8")
    assert filled(text, tables(inputs)) == text, "python -m deploy.capacity"


def test_what_was_not_measured_is_said(tmp_path: Path) -> None:
    assert read_inputs(tmp_path).ocr.kind == ASSUMED
    machine = {"cores": 8}
    (tmp_path / "card.json").write_text(
        json.dumps({"machine": machine, "milliseconds": {"ocr": {"p50": 250}, "llm": {"p50": 500}}})
    )
    (tmp_path / "card_load.json").write_text(json.dumps({"machine": machine, "cards_per_second": 16}))
    (tmp_path / "card_load_gpu.json").write_text(json.dumps({"machine": machine, "cards_per_second": 300}))
    read = read_inputs(tmp_path)
    assert (read.ocr.value, read.llm_alone.value, read.llm_batch.value, read.gpu_cards.value) == (2, 4, 0.5, 300)
    assert {one.kind for one in (read.ocr, read.llm_alone, read.llm_batch, read.gpu_cards)} == {MEASURED}


@pytest.mark.parametrize("model", [on_cpu, on_gpu])
def test_more_cards_take_more_and_no_replica_is_filled_beyond_the_plan(model: object, inputs: Inputs) -> None:
    assert callable(model)
    fleets = [model(inputs, rate) for rate in RATES]
    assert [fleet.cores for fleet in fleets] == sorted(fleet.cores for fleet in fleets)
    for fleet in fleets:
        busy = fleet.rate / 60 * inputs.ocr.value / (fleet.fronts * FRONT_CORES)
        assert busy <= FILLED + 1e-9


def test_half_the_work_is_half_the_fleet(inputs: Inputs) -> None:
    faster = replace(inputs, ocr=replace(inputs.ocr, value=inputs.ocr.value / 2))
    assert on_cpu(faster, 100_000).fronts == pytest.approx(on_cpu(inputs, 100_000).fronts / 2, abs=1)

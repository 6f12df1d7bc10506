"""The capacity model: the page of each language is what it computes, and it moves the right way."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.capacity.__main__ import filled, tables
from deploy.capacity.inputs import ASSUMED, MEASURED, Inputs, read_inputs
from deploy.capacity.language import ENGLISH, FRENCH, LANGUAGES, Language
from deploy.capacity.model import FILLED, FRONT_CORES, RATES, on_cpu, on_gpu

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def inputs() -> Inputs:
    return read_inputs(ROOT / "benchmarks/results")


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.page)
def test_a_page_is_what_is_computed(language: Language, inputs: Inputs) -> None:
    text = (ROOT / language.page).read_text("utf-8")
    assert filled(text, tables(inputs, language)) == text, "python -m deploy.capacity"


def test_both_pages_have_the_same_sections() -> None:
    english, french = (_openings((ROOT / language.page).read_text("utf-8")) for language in LANGUAGES)
    assert english == french


def _openings(page: str) -> list[str]:
    """Of its headings, points and rows."""
    return [line.partition(" ")[0] for line in page.splitlines() if line.startswith(("# ", "## ", "- ", "|"))]


@pytest.mark.parametrize("results", [ROOT / "benchmarks/results", ROOT / "nowhere"], ids=["measured", "assumed"])
def test_languages_differ_in_words_alone(results: Path) -> None:
    inputs = read_inputs(results)
    english, french = (tables(inputs, language).splitlines() for language in LANGUAGES)
    assert [_digits(line) for line in english] == [_digits(line) for line in french]
    assert not [line for line in english if line.strip("|- ") and line in french]


def _digits(text: str) -> list[str]:
    """In no order: a language may name a number sooner than another."""
    return sorted(character for character in text if character.isdigit())


def test_numbers_are_written_as_their_language_writes_them() -> None:
    assert ENGLISH.quantity("1,234.5", "GB") == "1,234.5 GB"
    assert FRENCH.quantity("1,234.5", "GB") == "1\u202f234,5\u00a0Go"


def test_what_the_last_rows_say_is_computed_from_them(inputs: Inputs) -> None:
    cpu, gpu = on_cpu(inputs, RATES[-1]), on_gpu(inputs, RATES[-1])
    ocr, saved = cpu.fronts * FRONT_CORES / cpu.cores, 1 - gpu.cores / cpu.cores
    assert f"{ocr:.0%} read".replace("%", " %") in tables(inputs, ENGLISH)
    assert f"save {saved:.0%}".replace("%", " %") in tables(inputs, ENGLISH)


def test_what_was_not_measured_is_said(tmp_path: Path) -> None:
    assert read_inputs(tmp_path).ocr.kind == ASSUMED
    machine = {"cores": 8}
    (tmp_path / "card.json").write_text(
        json.dumps({"machine": machine, "milliseconds": {"ocr": {"p50": 250}, "llm": {"p50": 500}}})
    )
    (tmp_path / "card_load.json").write_text(json.dumps({"machine": machine, "cards_per_second": 16}))
    (tmp_path / "card_load_gpu.json").write_text(json.dumps({"machine": machine, "cards_per_second": 300}))
    (tmp_path / "front_memory.json").write_text(json.dumps({"cards": 1000, "mib_most": 1024}))
    read = read_inputs(tmp_path)
    assert (read.front_memory.value, read.front_memory.kind) == (1.073741824, MEASURED)
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

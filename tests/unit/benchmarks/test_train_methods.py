"""The comparison of training methods: its ratios, its picture, and that `quant_table` can make its table of it."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from adapters.training.recipe import Recipe, form_name
from benchmarks.quantization import train_methods
from benchmarks.quantization import training as quant_training
from benchmarks.quantization.train_methods import METHODS, measure, plot


def _run(name: str, right: float, base_bytes: int) -> dict[str, Any]:
    figures = dict.fromkeys(train_methods._KEPT, 1.0) | {"validation_fields": right, "validation_exact": right / 2}
    return {**figures, "base_weights_bytes": base_bytes, "revision": Path(name), "recipe_file": Path(name)}


def test_ratios_are_to_the_first_method(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    runs = {"lora": _run("lora", 0.8, 269), "qlora": _run("qlora", 0.6, 110)}
    forms = [form_name(Recipe.model_validate({"name": "x", **changes})) for changes in METHODS.values()]
    monkeypatch.setattr(train_methods, "_train", lambda name, *_: runs[name])
    monkeypatch.setattr(train_methods, "_across", lambda *_: {form: {"fields": 0.9, "exact": 0.5} for form in forms})
    monkeypatch.setattr("adapters.bases.resolve", lambda *_: tmp_path)
    asked = {"base": "embedded", "methods": ["lora", "qlora"], "threads": 1, "seed": 1, "quick": True}
    result = measure(argparse.Namespace(**asked, samples=8, validation=4), tmp_path)
    qlora = result["runs"]["qlora"]
    assert qlora["validation_fields_over_lora"] == qlora["validation_exact_over_lora"] == 0.75
    assert qlora["base_weights_bytes_over_lora"] == 0.4089
    assert result["cards_right_on"]["qlora"]["int4"] == 0.5
    heads, rows = quant_training.table(result, "quantization.md")
    assert [len(row) for row in rows] == [len(heads)] * 2
    assert rows[0][-1] == "90.0 %, 50 %"
    plot(result, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 1000

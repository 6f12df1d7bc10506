"""Beside its medians a result keeps what each round gave, so that others can reckon with it; no key changes for it."""

import argparse
import itertools
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.cards import card, load
from benchmarks.harness.record import record, shown
from benchmarks.lora import drafts, gpu, many, mixed, tax
from benchmarks.lora.engine import Spent
from benchmarks.lora.many_report import cold_loads


def spent(*milliseconds: float) -> list[Spent]:
    return [Spent(each / 1000, 2 * each / 1000, each / 1000) for each in milliseconds]


def test_an_adapters_price() -> None:
    rounds: dict[Any, list[Spent]] = {(name, 8): spent(number, 3 * number, 2 * number)
                                      for number, name in enumerate(tax._VARIANTS, 1)}  # fmt: skip
    wall, processor = (tax._row(rounds, "tiny", 8)[clock] for clock in ("wall", "processor"))
    assert wall["samples"] == {name: [n, 3 * n, 2 * n] for n, name in enumerate(tax._VARIANTS, 1)}
    assert processor["samples"]["ours"] == [4, 12, 8]
    assert wall["ms_per_token"] == {name: statistics.median(each) for name, each in wall["samples"].items()}


def test_batches_of_several_adapters() -> None:
    rounds: dict[Any, list[Spent]] = {("ours", 1): spent(1, 2), ("ours", 4): spent(3, 4), ("stock", 4): spent(5, 6)}
    row = mixed._row(rounds, 1, 4)["wall"]
    assert row["samples"] == {"ours": [3, 4], "stock": [5, 6]} and row["ms_per_token"]["ours"] == 3.5
    on_gpu: dict[Any, list[Spent]] = {(8, 0): spent(1, 2), (8, 1): spent(2, 3), (8, 4): spent(4, 5)}
    assert gpu._row(on_gpu, "tiny", (8, 4))["decode"]["samples"] == {"base": [1, 2], "adapters": [4, 5]}


def test_many_adapters() -> None:
    class Served:
        rates = itertools.count(1)

        def rate(self, models: list[str], concurrency: int) -> float:
            return float(next(self.rates))

    found = many._rates(Served(), many.QUICK, argparse.Namespace(seed=0, rounds=2))  # type: ignore[arg-type]
    assert list(found["samples"]) == ["one", "1", "10", "30"]
    assert found["requests_per_second"] == {name: statistics.median(each) for name, each in found["samples"].items()}
    assert sorted(itertools.chain(*found["samples"].values())) == list(range(5, 13)), "the warm-up is none of them"
    cold = cold_loads([(0.1, 0.2), (0.3, 0.4)])
    assert cold["samples"] == {"load_ms": [100, 300], "first_request_ms": [200, 400]} and cold["load_ms"]["p50"] == 200


def test_drafts(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count(1)
    counted = dict.fromkeys(drafts._COUNTERS, 2.0)
    monkeypatch.setattr(drafts, "recorded_cards", lambda every: [{}] * 20)
    monkeypatch.setattr(drafts, "_bodies", lambda args, url, answer, cards: cards)
    monkeypatch.setattr(
        drafts, "_run", lambda url, bodies, at_once: drafts.Run(next(seconds), counted, ["a"] * len(bodies))
    )
    args = argparse.Namespace(rounds=2, cards=4)
    row = drafts._row(args, {"off": "a", "on": "b"}, "int8", "lines", 2)
    assert sorted([*row["samples"]["off"], *row["samples"]["on"]]) == [1.5, 2.0, 2.5, 3.0]  # seconds 3 to 6
    assert row["seconds_a_card"] == {name: statistics.median(each) for name, each in row["samples"].items()}


def _asked(monkeypatch: pytest.MonkeyPatch, answer: Callable[[httpx.Request], httpx.Response]) -> None:
    real = httpx.Client
    monkeypatch.setattr(
        httpx, "Client", lambda **more: real(transport=httpx.MockTransport(answer), base_url="http://s")
    )


def test_cards_one_by_one_and_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    took = itertools.count(1)

    def front(_: httpx.Request) -> httpx.Response:
        timings = dict.fromkeys(("decode", "ocr", "llm", "total"), next(took))
        usage = {"prompt_tokens": 1, "completion_tokens": 1}
        return httpx.Response(200, json={"timings_ms": timings, "usage": usage, "model": "cni@0"})

    _asked(monkeypatch, front)
    monkeypatch.setattr(card, "_drawn", lambda first, more: itertools.cycle([("cni-2018-recto", b"x")]))
    words = ["card", "--count", "3", "--warmup", "1", "--clients", "2", "--seconds", "0.05", "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", words)
    assert card.main() == 0
    result = json.loads((tmp_path / "card.json").read_text())
    assert result["samples"]["ocr"] == [2, 3, 4] and result["milliseconds"]["ocr"]["p50"] == 3
    assert set(result["samples"]) == set(result["milliseconds"])
    (row,) = result["clients"]
    assert len(row["samples"]) == row["cards"] and row["p50_ms"] == round(statistics.median(row["samples"]), 0)


def test_first_tokens_under_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def server(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text='data: {"usage": {"completion_tokens": 3}}\n\ndata: [DONE]\n\n')

    _asked(monkeypatch, server)
    monkeypatch.setattr(load, "modelled_prompts", lambda seed: itertools.repeat("prompt"))
    out = tmp_path / "load.json"
    monkeypatch.setattr("sys.argv", ["load", "--clients", "1", "--seconds", "0.05", "--out", str(out)])
    assert load.main() == 0
    (row,) = json.loads(out.read_text())["rows"]
    assert len(row["samples"]) == row["cards"] > 0 and row["tokens_a_card"] == 3


def test_a_list_of_numbers_is_one_line_of_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = {"samples": [1, -2.5, 1e-07], "rows": [{"a": [1]}, {"b": []}], "names": ["[\n 1\n]", "x"], "none": [None]}
    path = record("tiny", tmp_path, result)
    text = path.read_text()
    assert json.loads(text) == result == json.loads(capsys.readouterr().out)
    assert ' "samples": [1, -2.5, 1e-07],\n' in text and text == shown(result) + "\n"

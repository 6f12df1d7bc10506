"""A server with adapters under traffic: rates, hits by tier, loads, memory, switches, by HTTP and its metrics."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np

from benchmarks.harness.metrics import by_labels
from benchmarks.harness.services import Prompts

_PROMPT_TOKENS = 96
# Answers of one length keep requests of one adapter in step: all prompts together, then all answers. No traffic is so.
_ANSWER_TOKENS = range(8, 25)
_SAMPLE_SECONDS = 2
_LOAD = "cni_server_adapter_load_seconds"


class Served:
    """Counts every request: `answered`, or `failed` where the answer is no answer or another adapter's."""

    def __init__(self, url: str, seed: int) -> None:
        self._client = httpx.Client(base_url=url, timeout=600, limits=httpx.Limits(max_connections=64))
        self._prompts = Prompts(_PROMPT_TOKENS, seed)
        self._draw = random.Random(seed)
        self._lock = threading.Lock()
        self.answered = self.failed = 0

    def rate(self, models: Sequence[str], concurrency: int) -> float:
        """Requests a second."""
        prompts = self._prompts.take(len(models))
        begun = time.perf_counter()
        with ThreadPoolExecutor(concurrency) as pool:
            list(pool.map(self._ask, models, prompts, self._draw.choices(_ANSWER_TOKENS, k=len(models))))
        return len(models) / (time.perf_counter() - begun)

    def steady(self, models: Sequence[str], concurrency: int) -> dict[str, Any]:
        """Traffic, with the server's memory sampled beside it: its slope over the second half, hits and loads."""
        before, samples, over = self.metrics(), list[tuple[float, float]](), threading.Event()

        def sample() -> None:
            while not over.wait(_SAMPLE_SECONDS):
                samples.append((time.perf_counter(), self._memory()))

        sampling = threading.Thread(target=sample)
        sampling.start()
        begin = self._memory()
        rate = self.rate(models, concurrency)
        over.set()
        sampling.join()
        after = self.metrics()
        return {
            "requests": len(models),
            "adapters": len(set(models)),
            "requests_per_second": round(rate, 2),
            "memory_mb": {"begin": round(begin / 1e6, 1), "end": round(self._memory() / 1e6, 1)},
            "memory_slope_mb_per_minute": _slope(samples[len(samples) // 2 :]),
            "hit_rate": {
                "memory": _hits(before, after, "cni_server_adapter_lookups_total", "hit", "miss"),
                "slot": _hits(before, after, "cni_server_slot_lookups_total", "hit", "miss"),
            },
            "loads": after["cni_server_adapter_loads_total"] - before["cni_server_adapter_loads_total"],
            "evictions": after["cni_server_adapter_evictions_total"] - before["cni_server_adapter_evictions_total"],
            "load_ms": {f"p{p}": round(1000 * _quantile(before, after, p / 100), 1) for p in (50, 95)},
            "places": {t: after[f'cni_server_tier_capacity{{tier="{t}"}}'] for t in ("slots", "memory")},
        }

    def cold(self, model: str) -> tuple[float, float]:
        """Seconds of a load alone, and of the first request that needs it, to its first token."""
        before, begun = self.metrics(), time.perf_counter()
        self._first_token(model)
        seconds, after = time.perf_counter() - begun, self.metrics()
        return after[f"{_LOAD}_sum"] - before[f"{_LOAD}_sum"], seconds

    def switches(self, name: str, revisions: Sequence[str], count: int) -> tuple[list[float], list[float]]:
        """Seconds to the first token: of ordinary requests, and from the `PUT` on; in turns."""
        ordinary, switched = [], []
        self._first_token(name)
        for number in range(count):
            begun = time.perf_counter()
            self._first_token(name)
            ordinary.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            body = {"revision": revisions[number % 2]}
            self._client.put(f"/v1/adapters/{name}", json=body).raise_for_status()
            self._first_token(name)
            switched.append(time.perf_counter() - begun)
        return ordinary, switched

    def bytes_of(self, name: str) -> int:
        """Of its weights, on disk."""
        return int(self._client.get(f"/v1/adapters/{name}").json()["revisions"][0]["bytes"])

    def metrics(self) -> dict[str, float]:
        """Every sample by its name with labels."""
        return by_labels(self._client.get("/metrics").text)

    def _ask(self, model: str, prompt: list[int], tokens: int) -> None:
        body = {"model": model, "prompt": prompt, "max_tokens": tokens, "ignore_eos": True}
        answer = self._client.post("/v1/completions", json=body)
        right = answer.status_code == 200 and answer.json()["model"].partition("@")[0] == model
        with self._lock:
            self.answered += right
            self.failed += not right

    def _first_token(self, model: str) -> None:
        body = {"model": model, "prompt": self._prompts.take(1)[0], "max_tokens": 2, "stream": True}
        with self._client.stream("POST", "/v1/completions", json=body) as answer:
            answer.raise_for_status()
            next(line for line in answer.iter_lines() if line.startswith("data: {"))

    def _memory(self) -> float:
        page = self._client.get("/metrics").text
        return sum(by_labels(page, "cni_server_process_resident_memory_bytes").values())


def _slope(samples: list[tuple[float, float]]) -> float | None:
    """MB a minute by least squares; None for too few samples."""
    if len(samples) < 3:
        return None
    seconds, memory = np.array(samples).T
    return round(float(np.polyfit(seconds - seconds[0], memory / 1e6, 1)[0]) * 60, 2)


def _hits(before: dict[str, float], after: dict[str, float], name: str, hit: str, miss: str) -> float | None:
    hits, misses = (after[f'{name}{{result="{r}"}}'] - before.get(f'{name}{{result="{r}"}}', 0) for r in (hit, miss))
    return round(hits / (hits + misses), 4) if hits + misses else None


def _quantile(before: dict[str, float], after: dict[str, float], share: float) -> float:
    """Of the loads, seconds, straight between two bounds of the histogram."""
    start = f'{_LOAD}_bucket{{le="'
    bounds = {n.removeprefix(start)[:-2]: v - before.get(n, 0) for n, v in after.items() if n.startswith(start)}
    wanted, lower, below = share * bounds.get("+Inf", 0), 0.0, 0.0
    for bound, count in bounds.items():
        if count >= wanted and count > below:
            upper = lower if bound == "+Inf" else float(bound)
            return lower + (upper - lower) * (wanted - below) / (count - below)
        lower, below = float(bound), count
    return 0.0

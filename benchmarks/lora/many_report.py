"""What `many_adapters` publishes of what it measured."""

from __future__ import annotations

from typing import Any

from benchmarks.harness.frame import Panel, each, spread


def cold_loads(seconds: list[tuple[float, float]]) -> dict[str, Any]:
    """Loads alone, and whole first requests with check, load, proof of effect and answer."""
    loads, requests = ([1000 * value for value in values] for values in zip(*seconds, strict=True))
    samples = {"load_ms": each(loads, 1), "first_request_ms": each(requests, 1)}
    return {"load_ms": spread(loads), "first_request_ms": spread(requests), "samples": samples}


def panels(result: dict[str, Any]) -> list[Panel]:
    """Ratios, waits, memory."""
    counts = tuple(result["against_one"])
    steady, cold = result["steady"], result["cold_load_9_mb"]
    waits = {
        "load": steady["load_ms"],
        "load of 9 MB": cold["load_ms"],
        "first request of 9 MB": cold["first_request_ms"],
        "registration": result["register_ms"],
    }
    both: dict[str, list[float | None]] = {key: [values[key] for values in waits.values()] for key in ("p50", "p95")}
    memory = [steady["memory_mb"]["begin"], steady["memory_mb"]["end"]]
    few = f"{steady['places']['memory']:.0f} in memory"
    parts = {"all in memory": result["all_in_memory"], few: result}
    ratios = {name: list(part["against_one"].values()) for name, part in parts.items()}
    return [
        Panel("Requests a second, Zipf over so many adapters against one adapter", "ratio", counts, dict(ratios)),
        Panel("Loads", "ms", tuple(waits), both),
        Panel("Memory of the server under Zipf traffic", "MB", ("begin", "end"), {"resident": memory}),
    ]

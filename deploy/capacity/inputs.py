"""The numbers that the model starts from: measured where benchmarks/results has them, assumed where it has not."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MEASURED, ASSUMED = "measured", "assumed"


@dataclass(frozen=True)
class Input:
    """One number, where it comes from and how far it can be trusted.

    `numbers`: what stands in the braces of `source`, as English writes it.
    """

    what: str
    value: float
    unit: str
    kind: str
    source: str
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inputs:
    """Of one card unless they say otherwise. Core-seconds: seconds on one core."""

    ocr: Input
    llm_alone: Input
    llm_batch: Input
    gpu_cards: Input
    front_memory: Input
    server_memory: Input
    gpu_host_memory: Input

    def all(self) -> list[Input]:
        """In the order of the fields."""
        return list(vars(self).values())


def read_inputs(results: Path) -> Inputs:
    """`results`: the folder of the committed results. A file that is not there leaves an assumption in its place."""
    names = ("card.json", "card_load.json", "card_load_gpu.json", "front_memory.json")
    card, load, gpu, memory = (_read(results / name) for name in names)
    cores = card["machine"]["cores"] if card else 2
    return Inputs(
        ocr=_stage("reading the picture", card, "ocr", cores, 0.8),
        llm_alone=_stage("model, one card at a time", card, "llm", cores, 0.7),
        llm_batch=_throughput(
            "model, first token p95 within a second", load, 0.38, "lab-notes: 3.1 ms a token; prefill 0.3 s is a guess"
        ),
        gpu_cards=_rate("cards a second of one GPU server", gpu, 100, "one API process, not the GPU, is the bound"),
        front_memory=_memory("a front with one OCR worker", memory, 0.9, "benchmarks.front.memory was not run"),
        server_memory=Input("a CPU server, 3 GiB of KV cache", 6.2, "GB", MEASURED, "resident under load"),
        gpu_host_memory=Input("a GPU server, host memory", 8, "GB", ASSUMED, "weights once, CUDA's context"),
    )


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    return found


def _stage(what: str, card: dict[str, Any] | None, stage: str, cores: int, otherwise: float) -> Input:
    if card is None:
        return Input(what, otherwise, "core-s", ASSUMED, "make bench was not run")
    seconds = card["milliseconds"][stage]["p50"] / 1000
    source, numbers = "card.json: {} s at p50 on {} cores", (f"{seconds:.2f}", str(cores))
    return Input(what, seconds * cores, "core-s", MEASURED, source, numbers)


def _throughput(what: str, load: dict[str, Any] | None, otherwise: float, why: str) -> Input:
    if load is None:
        return Input(what, otherwise, "core-s", ASSUMED, why)
    rate, cores = load["cards_per_second"], load["machine"]["cores"]
    source, numbers = "card_load.json: {} cards/s on {} cores", (f"{rate:.2f}", str(cores))
    return Input(what, cores / rate, "core-s", MEASURED, source, numbers)


def _memory(what: str, front: dict[str, Any] | None, otherwise: float, why: str) -> Input:
    if front is None:
        return Input(what, otherwise, "GB", ASSUMED, why)
    source, numbers = "front_memory.json: the most over {} cards", (f"{front['cards']:,}",)
    return Input(what, front["mib_most"] * 2**20 / 1e9, "GB", MEASURED, source, numbers)


def _rate(what: str, load: dict[str, Any] | None, otherwise: float, why: str) -> Input:
    if load is None:
        return Input(what, otherwise, "cards/s", ASSUMED, why)
    return Input(what, load["cards_per_second"], "cards/s", MEASURED, "card_load_gpu.json")

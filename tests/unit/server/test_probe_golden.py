"""A golden set is asked several cases at a time, and not for longer than a lane of registrations may be held."""

import asyncio
from pathlib import Path

import pytest

from adapters.registry.errors import Refused
from adapters.registry.manifest import Golden, GoldenCase, Manifest
from server.control import probe
from server.control.engine import Answer, Slots
from server.control.probe import Prober
from server.control.seats import Seats


class Engine:
    """Answers a prompt by itself in capitals, after `seconds`; remembers how many were asked at once."""

    def __init__(self, seconds: float = 0.001) -> None:
        self.seconds = seconds
        self.now = self.most = 0
        self.unloaded: list[str] = []
        self.broken = ""

    async def load(self, name: str, folder: Path) -> None:
        return None

    async def unload(self, name: str) -> None:
        self.unloaded.append(name)

    async def pin(self, name: str) -> None:
        return None

    async def unpin(self, name: str) -> None:
        return None

    async def slots(self) -> Slots:
        return Slots()

    async def ask(self, name: str | None, prompt: str, max_tokens: int) -> Answer:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self.seconds if max_tokens > 1 else 0)
        finally:
            self.now -= 1
        if prompt == self.broken:
            raise Refused("golden-prompt", "The engine does not take a prompt of the golden set.")
        return Answer(prompt.upper(), {1: -0.5 if name is None else -0.25})


def manifest(cases: int, floor: float = 1.0) -> Manifest:
    golden = Golden(floor=floor, cases=[GoldenCase(prompt=f"p{index}", expected=f"P{index}") for index in range(cases)])
    base = {"name": "b", "fingerprint": "0" * 64, "architecture": "X", "hidden_size": 8, "layers": 1}
    return Manifest.model_validate({"name": "cni", "base": base, "sha256": "1" * 64, "golden": golden})


def prober(engine: Engine) -> Prober:
    return Prober(engine, Seats(4, lambda: 0.0))


async def test_cases_are_asked_together_but_not_all_at_once() -> None:
    engine = Engine()
    assert await prober(engine).prove_staged(Path(), manifest(64), "x") == ["effect", "golden"]
    assert 1 < engine.most <= 8 and engine.unloaded == ["x"]


async def test_one_that_cannot_be_asked_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine()
    engine.broken = "p3"
    with pytest.raises(Refused) as refused:
        await prober(engine).prove_staged(Path(), manifest(20), "x")
    assert refused.value.check == "golden-prompt" and engine.unloaded == ["x"] and engine.now == 0


async def test_a_set_that_takes_too_long_says_nothing_against_the_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_GOLDEN_SECONDS", 0.02)
    engine = Engine(seconds=5)
    with pytest.raises(Refused) as refused:
        await prober(engine).prove_staged(Path(), manifest(20), "x")
    assert refused.value.transient and engine.unloaded == ["x"] and engine.now == 0

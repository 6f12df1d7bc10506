"""Proof of effect, by the engine: the adapter changes the base's answer, and passes its own golden set."""

import asyncio
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.registry.errors import Refused
from adapters.registry.manifest import Golden, Manifest
from server.control.engine import Answer, LoraEngine
from server.control.seats import Seats

_PROBE = "NOM/SURNAME 2\nPRÉNOMS/GIVEN NAMES 4\n"
_GOLDEN_TOKENS = 512
# A batch of their own: one after the other they would hold the lane of registrations for minutes.
_GOLDEN_AT_ONCE = 8
_GOLDEN_SECONDS = 300.0
_KEPT_PROMPTS = 16


@dataclass
class Prober:
    """Asks the engine. `seats`: a probe is one more adapter in a batch."""

    engine: LoraEngine
    seats: Seats
    _base: dict[str, Answer] = field(default_factory=dict)

    async def prove_staged(self, folder: Path, manifest: Manifest | None, name: str) -> list[str]:
        """Load a staged adapter as `name`, ask it, unload it; what was proved. Raises Refused."""
        await self.engine.load(name, folder)
        try:
            return await self.prove(name, manifest)
        finally:
            await self.engine.unload(name)

    async def prove(self, name: str, manifest: Manifest | None) -> list[str]:
        """Ask an adapter that is loaded; what was proved. Raises Refused."""
        await self.seats.take(name)
        try:
            prompt = _probe_prompt(manifest)
            await _prove_effect(self.engine, name, prompt, await self._base_answer(prompt))
            if manifest is None or manifest.golden is None:
                return ["effect"]
            await _prove_golden(self.engine, name, manifest.golden)
            return ["effect", "golden"]
        finally:
            self.seats.give(name)

    async def _base_answer(self, prompt: str) -> Answer:
        """Asked once a prompt: a thousand adapters of one kind share theirs."""
        if prompt not in self._base:
            answer = await self.engine.ask(None, prompt, 1)
            if len(self._base) >= _KEPT_PROMPTS:
                self._base.clear()
            self._base[prompt] = answer
        return self._base[prompt]


def _probe_prompt(manifest: Manifest | None) -> str:
    """A prompt of the adapter's own kind, where it says which."""
    if manifest is None or manifest.prompt is None:
        return _PROBE
    document = next(iter(manifest.prompt.documents.values()), None)
    return (document.prefix if document else "") + _PROBE + manifest.prompt.suffix


async def _prove_effect(engine: LoraEngine, name: str, prompt: str, base: Answer) -> None:
    adapted = await engine.ask(name, prompt, 1)
    if any(not math.isfinite(value) for value in adapted.first.values()):
        raise Refused("probe-finite", "The adapter's logits on the probe are not finite.")
    if dict(base.first) == dict(adapted.first):
        raise Refused("no-effect", "The adapter's logits on the probe are exactly the base's.")


async def _prove_golden(engine: LoraEngine, name: str, golden: Golden) -> None:
    turns = asyncio.Semaphore(_GOLDEN_AT_ONCE)

    async def ask(prompt: str) -> Answer:
        async with turns:
            return await engine.ask(name, prompt, _GOLDEN_TOKENS)

    try:
        async with asyncio.timeout(_GOLDEN_SECONDS), asyncio.TaskGroup() as group:
            asked = [group.create_task(ask(case.prompt)) for case in golden.cases]
    except TimeoutError as error:
        text = f"The golden set was not answered within {_GOLDEN_SECONDS:.0f} s."
        raise Refused("engine-busy", text) from error
    except BaseExceptionGroup as group_error:
        raise group_error.exceptions[0] from group_error
    answers = [task.result() for task in asked]
    right = sum(_same(answer.text, case.expected) for answer, case in zip(answers, golden.cases, strict=True))
    score = right / len(golden.cases)
    if score < golden.floor:
        raise Refused(
            "golden", f"The golden set scores {score:.2f} ({right} of {len(golden.cases)}), below {golden.floor:.2f}."
        )


def _same(text: str, expected: str | dict[str, Any] | list[Any]) -> bool:
    """Text by text, anything else as the JSON that it is."""
    if isinstance(expected, str):
        return text.strip() == expected.strip()
    try:
        return bool(json.loads(text) == expected)
    except json.JSONDecodeError:
        return False

"""Proof of effect, by the engine: the adapter changes the base's answer, and passes its own golden set."""

import json
import math
from pathlib import Path
from typing import Any

from adapters.registry.errors import Refused
from adapters.registry.manifest import Golden, Manifest
from server.control.engine import LoraEngine

_PROBE = "NOM/SURNAME 2\nPRÉNOMS/GIVEN NAMES 4\n"
_GOLDEN_TOKENS = 512


async def prove(engine: LoraEngine, folder: Path, manifest: Manifest | None, name: str) -> list[str]:
    """Load a staged adapter as `name`, ask it, unload it; what was proved. Raises Refused."""
    await engine.load(name, folder)
    try:
        proved = [await _prove_effect(engine, name, _probe_prompt(manifest))]
        if manifest is not None and manifest.golden is not None:
            proved.append(await _prove_golden(engine, name, manifest.golden))
        return proved
    finally:
        await engine.unload(name)


def _probe_prompt(manifest: Manifest | None) -> str:
    """A prompt of the adapter's own kind, where it says which."""
    if manifest is None or manifest.prompt is None:
        return _PROBE
    document = next(iter(manifest.prompt.documents.values()), None)
    return (document.prefix if document else "") + _PROBE + manifest.prompt.suffix


async def _prove_effect(engine: LoraEngine, name: str, prompt: str) -> str:
    base, adapted = await engine.ask(None, prompt, 1), await engine.ask(name, prompt, 1)
    if any(not math.isfinite(value) for value in adapted.first.values()):
        raise Refused("probe-finite", "The adapter's logits on the probe are not finite.")
    if dict(base.first) == dict(adapted.first):
        raise Refused("no-effect", "The adapter's logits on the probe are exactly the base's.")
    return "effect"


async def _prove_golden(engine: LoraEngine, name: str, golden: Golden) -> str:
    answers = [await engine.ask(name, case.prompt, _GOLDEN_TOKENS) for case in golden.cases]
    right = sum(_same(answer.text, case.expected) for answer, case in zip(answers, golden.cases, strict=True))
    score = right / len(golden.cases)
    if score < golden.floor:
        raise Refused(
            "golden", f"The golden set scores {score:.2f} ({right} of {len(golden.cases)}), below {golden.floor:.2f}."
        )
    return "golden"


def _same(text: str, expected: str | dict[str, Any] | list[Any]) -> bool:
    """Text by text, anything else as the JSON that it is."""
    if isinstance(expected, str):
        return text.strip() == expected.strip()
    try:
        return bool(json.loads(text) == expected)
    except json.JSONDecodeError:
        return False

"""What base, oneDNN's copy, adapter slots, KV cache and adapters take of memory, by differences of resident bytes.

    python -m benchmarks.lora.memory --shape embedded

Engines that differ in one thing are started one after the other; each answers one request before its memory is read.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.harness.frame import Panel, parser, publish, say
from benchmarks.harness.models import EMBEDDED, SHAPES, Models, write_models
from benchmarks.lora.engine import BASE, Engine, Plan

_MIB = 1 << 20
_SLOTS = 17
_ADAPTERS = 16


def main() -> int:
    """Run it."""
    made = parser("lora.memory", __doc__, rounds=1)
    made.add_argument("--shape", choices=[EMBEDDED, *sorted(SHAPES)], default=EMBEDDED, help="default: %(default)s")
    args = made.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        mib, weights = _measure(args, write_models(Path(folder), args.shape, adapters=_ADAPTERS, seed=args.seed))
    panel = Panel(f"Resident memory, {args.shape}", "MiB", tuple(mib), {"MiB": list(mib.values())})
    result = {"shape": args.shape, "weights_mib": round(weights, 1), "mib": {k: round(v, 2) for k, v in mib.items()}}
    publish("memory", args, result, [panel])
    return 0


def _measure(args: argparse.Namespace, models: Models) -> tuple[dict[str, float], float]:
    def resident(slots: int, adapters: int = 0, **environment: str) -> float:
        options = {"max_loras": slots, "max_cpu_loras": _SLOTS}
        with Engine(models, Plan(args.threads, 32, options=options, environment=environment)) as engine:
            engine.decode([BASE], 4)
            before = engine.resident()
            for adapter in range(adapters):
                engine.decode([adapter], 4)
            held = engine.resident()
        say(f"{slots} slots, {adapters} adapters, {environment}: {held / _MIB:.0f} MiB")
        return (held - before) / _MIB if adapters else held / _MIB

    plain = resident(1)
    both = resident(1, CNI_CPU_LORA_PROMPTS="0")
    slots = resident(_SLOTS)
    cache = resident(1, VLLM_CPU_KVCACHE_SPACE="2")
    loaded = resident(_SLOTS, _ADAPTERS)
    weights = sum(path.stat().st_size for path in models.base.glob("*.safetensors")) / _MIB
    return {
        "process, one slot": plain,
        "oneDNN's copy, where it is kept": both - plain,
        "each further slot": (slots - plain) / (_SLOTS - 1),
        "each GiB of KV cache": cache - plain,
        "each adapter kept": loaded / _ADAPTERS,
    }, weights


if __name__ == "__main__":
    sys.exit(main())

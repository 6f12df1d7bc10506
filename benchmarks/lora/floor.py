"""How far one stream is from the machine's best: bytes over bandwidth for a token, products over rate for a prompt.

    python -m benchmarks.lora.floor --shapes embedded qwen3-0.6b

The floor of a token is every weight's bytes read once over the measured memory bandwidth; the floor of a prompt is its
multiplications over the measured rate of a large bfloat16 matrix product, both measured between the engine's rounds.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from adapters.doctor.bandwidth import read_bandwidth
from benchmarks.harness.frame import Case, Panel, alternate, each, median, parser, publish
from benchmarks.harness.models import EMBEDDED, SHAPES, write_models
from benchmarks.lora.engine import Engine, Plan

_TOKENS = 24
_MATRIX = 2048


def main() -> int:
    """Run it."""
    made = parser("lora.floor", __doc__)
    shapes = [EMBEDDED, *sorted(SHAPES)]
    made.add_argument("--shapes", nargs="+", choices=shapes, default=[EMBEDDED, "qwen3-0.6b"], help="%(default)s")
    made.add_argument("--prompt", type=int, default=350, help="tokens per prompt (default: %(default)s)")
    args = made.parse_args()
    rows = [_measure(args, shape) for shape in args.shapes]
    publish("floor", args, {"concurrency": 1, "adapter_rank": 16, "prompt": args.prompt, "rows": rows}, _panels(rows))
    return 0


def _measure(args: argparse.Namespace, shape: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        models = write_models(Path(folder), shape, adapters=1, seed=args.seed)
        read, logits = _weights(models.base)
        with Engine(models, Plan(args.threads, args.prompt)) as engine:
            samples = alternate(
                [
                    Case[tuple[float, ...]](("bandwidth",), lambda: (read_bandwidth(args.threads),)),
                    Case[tuple[float, ...]](("rate",), lambda: (_matrix_rate(args.threads),)),
                    Case[tuple[float, ...]](("engine",), lambda: _decode(engine)),
                ],
                args.rounds,
            )
    bandwidth = max(value for (value,) in samples["bandwidth",])
    rate = max(value for (value,) in samples["rate",])
    token = median([decode for decode, _ in samples["engine",]], 6) * 1000
    prompt = median([prefill for _, prefill in samples["engine",]], 6) * 1000
    token_floor = 1000 * 2 * read / bandwidth  # two bytes a weight
    # Two operations a weight and token; the logits' matrix meets a prompt's last token only, which is left out.
    prompt_floor = 1000 * 2 * args.prompt * (read - logits) / rate
    return {
        "shape": shape,
        "bytes_a_token": 2 * read,
        "bandwidth_gb_s": round(bandwidth / 1e9, 2),
        "matrix_tflops": round(rate / 1e12, 3),
        "token_ms": round(token, 2),
        "token_floor_ms": round(token_floor, 2),
        "token_over_floor": round(token / token_floor, 2),
        "prompt_ms": round(prompt, 1),
        "prompt_floor_ms": round(prompt_floor, 1),
        "prompt_over_floor": round(prompt / prompt_floor, 2),
        "samples": {
            "bandwidth_gb_s": each([value / 1e9 for (value,) in samples["bandwidth",]], 2),
            "matrix_tflops": each([value / 1e12 for (value,) in samples["rate",]]),
            "token_ms": each([1000 * decode for decode, _ in samples["engine",]], 2),
            "prompt_ms": each([1000 * prefill for _, prefill in samples["engine",]], 1),
        },
    }


def _decode(engine: Engine) -> tuple[float, float]:
    spent = engine.decode([0], _TOKENS)
    return spent.wall, spent.prefill


def _weights(base: Path) -> tuple[int, int]:
    """How many weights every token reads, and how many of these make the logits; a separate embedding is not read."""
    from safetensors import safe_open

    sizes: dict[str, int] = {}
    for path in sorted(base.glob("*.safetensors")):
        with safe_open(path, framework="pt") as tensors:
            sizes |= {name: math.prod(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
    embedding = sizes["model.embed_tokens.weight"]
    logits = sizes.get("lm_head.weight", embedding)
    return sum(sizes.values()) - (embedding if "lm_head.weight" in sizes else 0), logits


def _matrix_rate(threads: int) -> float:
    """Operations a second of a bfloat16 product of two large matrices."""
    import torch

    torch.set_num_threads(threads)
    one, other = (torch.randn(_MATRIX, _MATRIX).bfloat16() for _ in range(2))
    torch.mm(one, other)
    begun = time.perf_counter()
    torch.mm(one, other)
    return float(2 * _MATRIX**3 / (time.perf_counter() - begun))


def _panels(rows: list[dict[str, Any]]) -> list[Panel]:
    groups = tuple(row["shape"] for row in rows)
    return [
        Panel(
            f"{title}, one stream, bfloat16, with an adapter: less is better",
            "milliseconds",
            groups,
            {"measured": [row[f"{name}_ms"] for row in rows], "floor": [row[f"{name}_floor_ms"] for row in rows]},
        )
        for name, title in (("token", "One token"), ("prompt", "A prompt"))
    ]


if __name__ == "__main__":
    sys.exit(main())

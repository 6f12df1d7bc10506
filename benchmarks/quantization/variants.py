"""What `quant_table` compares: the base, its KV cache in eight bits, each method, and with an eight-bit embedding."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapters.quantize.methods import METHODS
from adapters.registry.quantization import read_quantization
from benchmarks.quantization.engine import Options

REFERENCE, CACHE8 = "bf16", "bf16, KV cache in fp8"
# After a method's name: embedding and tied head in eight bits as well, while it serves.
EMBEDDING8 = " + int8 embedding"
# After a method's name: served with the adapter that learned on such a base (method qat-lora), not the shipped one.
QAT = " + adapter by QAT"
_MIB = 2**20


def names(methods: Sequence[str], *, random: bool, qat: bool = False) -> list[str]:
    """The rows' names in order. Random weights have no quality: GPTQ is INT4 then, and NF4 is bf16.

    `qat`: an adapter is there that learned on INT4 rounded to nearest, which is what it is served on.
    """
    if random:
        taken = [name for name in methods if name in {"int8", "int4"}]
        return [REFERENCE, *taken, *(name + EMBEDDING8 for name in taken if name == "int4")]
    learned = [name + QAT for name in methods if qat and name == "int4"]
    return [REFERENCE, CACHE8, *methods, *learned, *(name + EMBEDDING8 for name in methods if name in {"int8", "gptq"})]


def make(
    name: str, plain: Options, folder: Path, samples: int, qat: Path | None = None
) -> tuple[dict[str, Any], Options]:
    """The row's beginning and the engine that it is about. A method's base is made in `folder` when it first comes."""
    if name == REFERENCE:
        return _sizes(name, plain), plain
    if name == CACHE8:
        options = dataclasses.replace(plain, cache="fp8")
        return _sizes(name, options), options
    method = name.removesuffix(EMBEDDING8).removesuffix(QAT)
    out = folder / f"{method}-{plain.base.parent.name}"
    if not out.exists():
        command = [sys.executable, "-m", "adapters", "quantize", "--method", method, "--out", str(out)]
        command += ["--base", str(plain.base), "--threads", str(plain.threads)]
        if METHODS[method].calibrated:
            command += ["--samples", str(samples), "--adapter", str(plain.adapter)]
        subprocess.run(command, check=True, stdout=sys.stderr)
    manifest = read_quantization(out)
    assert manifest is not None
    options = dataclasses.replace(plain, base=out, int8_embedding=name.endswith(EMBEDDING8))
    if name.endswith(QAT) and qat is not None:
        options = dataclasses.replace(options, adapter=qat)
    row = _sizes(name, options) | {"quantization_s": manifest.seconds, "error": manifest.error}
    if manifest.stored == "bfloat16":
        row["weights_mib"] = None  # written back: what it would take in an engine that computes in NF4 is not known
    return row, options


def _sizes(name: str, options: Options) -> dict[str, Any]:
    """Weights lie in the engine's memory as they are stored, the embedding once; measured memory is `resident_mib`."""
    stored = sum(path.stat().st_size for path in options.base.glob("*.safetensors"))
    saved = 0
    if options.int8_embedding:
        config = json.loads((options.base / "config.json").read_text(encoding="utf-8"))
        saved = config["vocab_size"] * (config["hidden_size"] - 2)  # a byte a weight less, a scale of two bytes a row
    return {"method": name, "disk_mib": round(stored / _MIB, 1), "weights_mib": round((stored - saved) / _MIB, 1)}

"""What an operator may say about the CPU LoRA plugin: nine switches, read from the environment in this one place."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields

PREFIX = "CNI_CPU_LORA"
WRAPPER = "server.cpu_lora.wrapper.GroupedPunicaWrapper"
"""The verified wrapper, by the name that vLLM's platform is given."""

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


@dataclass(frozen=True)
class CpuLoraSettings:
    """Switches of the plugin.

    enabled: `CNI_CPU_LORA` (default on); off leaves vLLM's own wrapper in place, which benchmarks compare with.
    any_version: `CNI_CPU_LORA_ANY_VERSION` (default off); on registers on a vLLM release that was not tested.
    kernel: `CNI_CPU_LORA_KERNEL` (default on); off never builds or loads the C++ kernel.
    linear: `CNI_CPU_LORA_LINEAR` (default on); off leaves linear layers to oneDNN.
    step: `CNI_CPU_LORA_STEP` (default on); off leaves decode steps to vLLM's own layers, one operator after the other.
    prompts: `CNI_CPU_LORA_PROMPTS` (default on); off leaves prompts to vLLM's own layers and oneDNN, which keeps a
    second copy of the weights.
    eager_ops: `CNI_CPU_LORA_EAGER_OPS` (default on); off leaves norms, SiLU and rotary embeddings to PyTorch.
    greedy: `CNI_CPU_LORA_GREEDY` (default on); off leaves grammars and the likeliest tokens to vLLM's sampler.
    int8_embedding: `CNI_CPU_LORA_INT8_EMBEDDING` (default off); on keeps embedding and tied head in eight bits.
    """

    enabled: bool = True
    any_version: bool = False
    kernel: bool = True
    linear: bool = True
    step: bool = True
    prompts: bool = True
    eager_ops: bool = True
    greedy: bool = True
    int8_embedding: bool = False


def read_settings(environ: Mapping[str, str]) -> CpuLoraSettings:
    """Build the settings from `environ`; raises ValueError naming the variable that is no switch of ours, or whose
    value is none: a typo must not leave a part out without a word."""
    names = {_variable(field.name): field for field in fields(CpuLoraSettings)}
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in names)
    if unknown:
        near = difflib.get_close_matches(unknown[0], names, 1, 0)[0]
        raise ValueError(f"{unknown[0]} is not a variable of this server; did you mean {near}?")
    return CpuLoraSettings(**{f.name: _switch(environ, name, bool(f.default)) for name, f in names.items()})


def _variable(field: str) -> str:
    return PREFIX if field == "enabled" else f"{PREFIX}_{field.upper()}"


def _switch(environ: Mapping[str, str], name: str, default: bool) -> bool:
    value = environ.get(name)
    if value is None:
        return default
    folded = value.strip().lower()
    if folded in _TRUE:
        return True
    if folded in _FALSE:
        return False
    raise ValueError(f"{name} must be 1 or 0, got {value!r}")

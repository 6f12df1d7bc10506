"""What an operator may say about the CPU LoRA plugin: eight switches, read from the environment in this one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TESTED_VLLM_VERSIONS = frozenset({"0.32.0"})
"""Releases whose LoRA layers and wrapper signatures the tests have run against."""

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
    int8_embedding: `CNI_CPU_LORA_INT8_EMBEDDING` (default off); on keeps embedding and tied head in eight bits.
    """

    enabled: bool = True
    any_version: bool = False
    kernel: bool = True
    linear: bool = True
    step: bool = True
    prompts: bool = True
    eager_ops: bool = True
    int8_embedding: bool = False


def read_settings(environ: Mapping[str, str]) -> CpuLoraSettings:
    """Build the settings from `environ`; raises ValueError naming the variable whose value is not a switch."""
    defaults = CpuLoraSettings()
    return CpuLoraSettings(
        enabled=_switch(environ, "CNI_CPU_LORA", defaults.enabled),
        any_version=_switch(environ, "CNI_CPU_LORA_ANY_VERSION", defaults.any_version),
        kernel=_switch(environ, "CNI_CPU_LORA_KERNEL", defaults.kernel),
        linear=_switch(environ, "CNI_CPU_LORA_LINEAR", defaults.linear),
        step=_switch(environ, "CNI_CPU_LORA_STEP", defaults.step),
        prompts=_switch(environ, "CNI_CPU_LORA_PROMPTS", defaults.prompts),
        eager_ops=_switch(environ, "CNI_CPU_LORA_EAGER_OPS", defaults.eager_ops),
        int8_embedding=_switch(environ, "CNI_CPU_LORA_INT8_EMBEDDING", defaults.int8_embedding),
    )


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

"""Hypothesis strategies and builders: a batch of rows, the stacked weights of its slots, a wrapper told about both."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from hypothesis import strategies as st
from vllm.lora.layers import LoRAMapping
from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU

from server.cpu_lora.wrapper import GroupedPunicaWrapper

# The same tests run against vLLM's own wrapper with CNI_TEST_WRAPPER=stock; docs/lab-notes.md says what it fails.
WRAPPER = PunicaWrapperCPU if os.environ.get("CNI_TEST_WRAPPER") == "stock" else GroupedPunicaWrapper
ADAPTER_IDS = (11, 7, 42, 3, 99, 5, 64, 28)


@dataclass(frozen=True)
class Batch:
    """slots: per row the adapter's slot or -1; padding: rows handed to the layer beyond these."""

    slots: tuple[int, ...]
    slot_count: int
    padding: int
    is_prefill: bool
    dtype: torch.dtype
    seed: int

    @property
    def rows(self) -> int:
        return len(self.slots) + self.padding


@st.composite
def batches(draw: st.DrawFn, padded: bool = True) -> Batch:
    """Prefill (runs of one slot), decode (any order) and both in one batch, with base rows, idle slots and padding."""
    slot_count = draw(st.integers(1, len(ADAPTER_IDS)))
    slot = st.integers(-1, slot_count - 1)
    is_prefill = draw(st.booleans())
    if is_prefill:
        runs = draw(st.lists(st.tuples(slot, st.integers(1, 9)), min_size=1, max_size=5))
        slots = tuple(s for s, length in runs for _ in range(length))
        # Chunked prefill: requests that answer share the batch with prompts, in front of them as the scheduler has it.
        slots = (*draw(st.lists(slot, max_size=6)), *slots)
    else:
        slots = tuple(draw(st.lists(slot, min_size=1, max_size=24)))
    padding = draw(st.integers(0, 3)) if padded else 0
    dtype = draw(st.sampled_from([torch.float32, torch.bfloat16]))
    return Batch(slots, slot_count, padding, is_prefill, dtype, draw(st.integers(0, 2**16)))


def wrapper_for(batch: Batch, samples: Sequence[int] | None = None) -> PunicaWrapperCPU:
    """A wrapper after `update_metadata`, as the LoRA manager calls it; `samples`: the sampled rows' slots."""
    wrapper = WRAPPER(max_num_batched_tokens=512, max_batches=64, device=torch.device("cpu"))
    told(wrapper, batch, samples)
    return wrapper


def told(wrapper: PunicaWrapperCPU, batch: Batch, samples: Sequence[int] | None = None) -> None:
    """Tell `wrapper` about the next step's batch."""
    owners: list[int | None] = list(ADAPTER_IDS[: batch.slot_count])
    ids = [_id(slot) for slot in batch.slots]
    sampled = [_id(slot) for slot in (batch.slots if samples is None else samples)]
    mapping = LoRAMapping(tuple(ids), tuple(sampled), is_prefill=batch.is_prefill)
    wrapper.update_metadata(mapping, owners, batch.slot_count + 1, 1000)


def stacked(
    batch: Batch, outputs: int, inputs: int, rank: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """A [slots, 1, rank, inputs] and B [slots, 1, outputs, rank]; adapters of smaller ranks and absent ones occur."""
    a = torch.zeros(batch.slot_count, 1, rank, inputs)
    b = torch.zeros(batch.slot_count, 1, outputs, rank)
    for slot in range(batch.slot_count):
        used = int(torch.randint(0, rank + 1, (), generator=generator))
        a[slot, 0, :used] = torch.randn(used, inputs, generator=generator) / inputs**0.5
        b[slot, 0, :, :used] = torch.randn(outputs, used, generator=generator)
    return a.to(batch.dtype), b.to(batch.dtype)


def generator(batch: Batch) -> torch.Generator:
    return torch.Generator().manual_seed(batch.seed)


def agree(got: torch.Tensor, wanted: torch.Tensor, dtype: torch.dtype) -> None:
    """Equal up to the type's own rounding: bfloat16 keeps 8 bits, of which a sum and an intermediate lose a few."""
    tolerance = {"rtol": 1e-4, "atol": 1e-4} if dtype == torch.float32 else {"rtol": 4e-2, "atol": 8e-2}
    torch.testing.assert_close(got.to(torch.float64), wanted, **tolerance)


def _id(slot: int) -> int:
    return ADAPTER_IDS[slot] if slot >= 0 else 0

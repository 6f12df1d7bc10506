"""A step in as few calls as there are attentions: between two of them, one call of `cni_step` does the rest.

In vLLM's own code a step of a 30-layer model is some 300 calls through Python and PyTorch's dispatcher, which for a
small model cost as much as the reading of its weights, and whose results pass through memory, which costs a prompt a
third of its time. Attention and the KV cache stay vLLM's own operators.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from server.cpu_lora import kernel
from server.cpu_lora.batch import Batch
from server.cpu_lora.buffers import AT_ONCE, StepBuffers
from server.cpu_lora.decoder import LAYER, LINEARS, Decoder, read_decoder
from server.cpu_lora.patching import patch_once
from server.cpu_lora.table import Table
from server.cpu_lora.wrapper import GroupedPunicaWrapper

ROWS_A_THREAD = 32
"""Steps of more rows than `AT_ONCE` (prompts) need as many for each thread: all of them read all weights then."""

Forward = Callable[..., Any]
_ABSENT = object()


class DecodeStep:
    """One model's steps. Not for two threads: the buffers are shared by all of its steps."""

    def __init__(self, engine: kernel.Kernel, decoder: Decoder) -> None:
        self._engine, self._decoder = engine, decoder
        self._buffers = StepBuffers(decoder.sizes, engine.threads())
        self._layers = decoder.layers.copy()
        # vLLM may be told to wrap some linear layers only (--lora-target-modules).
        self._wrapped = [one for linears in decoder.linears for one in linears if hasattr(one, "lora_a_stacked")]
        # vLLM's layers clear every slice of a slot before they fill any, so two tensors tell of a layer's writes.
        self._watched = [w for one in self._wrapped for w in (one.lora_a_stacked[0], one.lora_b_stacked[-1])]
        self._tracked = not any(weights.is_inference() for weights in self._watched)
        self._versions: list[int] = []
        self._batch: Batch | None = None  # what `_layers` has the addresses of
        self._columns: np.ndarray[tuple[int, int], np.dtype[np.int64]] | None = None
        self._caches: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []

    def run(self, x: torch.Tensor, positions: torch.Tensor, context: Any) -> torch.Tensor | None:
        """x [rows, hidden], positions [rows] to the last norm's output; None where this batch is not for the kernel."""
        adapters = self._adapters(x.shape[0]) if self._ready(x, positions, context) else None
        if adapters is None:
            return None
        decoder, buffers = self._decoder, self._buffers
        out = torch.empty_like(x)
        query, key, value, attended = buffers.views(x.shape[0])
        step = buffers.describe(decoder, x, positions, out, adapters)
        first, size = self._layers.ctypes.data, LAYER.itemsize
        self._engine.step(step, 0, first)
        for number, attention in enumerate(decoder.attentions):
            metadata = context.attn_metadata[attention.layer_name]
            cache = self._cache(number, attention)
            _attend(
                attention, metadata, context.slot_mapping[attention.layer_name], (query, key, value), cache, attended
            )
            before = first + number * size
            self._engine.step(step, before, before + size if number + 1 < len(decoder.attentions) else 0)
        return out

    def _ready(self, x: torch.Tensor, positions: torch.Tensor, context: Any) -> bool:
        metadata, name = context.attn_metadata, self._decoder.attentions[0].layer_name
        if not isinstance(metadata, dict) or not isinstance(context.slot_mapping, dict):
            return False  # the runs before the cache is there
        if name not in context.slot_mapping or metadata[name].num_actual_tokens != x.shape[0]:
            return False
        plain = x.is_contiguous() and x.dtype == torch.bfloat16
        return plain and positions.dtype == torch.int64 and positions.dim() == 1 and positions.is_contiguous()

    def _adapters(self, rows: int) -> tuple[int, int] | None:
        """Enter where this step's products are; see `StepBuffers.describe`. None where the kernel cannot take them."""
        if not self._wrapped:
            return 0, 0  # no LoRA at all
        wrapper = self._wrapped[0].punica_wrapper
        if type(wrapper) is not GroupedPunicaWrapper or not self._tracked:
            return None
        groups = wrapper.groups_of_step(rows)
        if groups is None:
            return None
        if not groups:
            return 0, 0
        if self._columns is None:
            self._columns = self._find_columns(wrapper.table)
        versions = [weights._version for weights in self._watched]
        batch = wrapper.table.batch(groups, fresh=versions == self._versions)
        self._versions = versions
        if not wrapper.table.fits(groups):
            return None
        if batch is not self._batch:
            self._batch = batch
            for name, columns in zip(LINEARS, self._columns, strict=True):
                self._layers[f"{name}_products"] = batch.address + columns * kernel.PRODUCT.itemsize
        return len(groups.groups), batch.stride

    def _find_columns(self, table: Table) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
        """Where each layer stands in the table, [linears, layers]; layers without LoRA have no slices."""
        columns = np.zeros((len(LINEARS), len(self._layers)), np.int64)
        for number, linears in enumerate(self._decoder.linears):
            for place, (name, linear) in enumerate(zip(LINEARS, linears, strict=True)):
                if hasattr(linear, "lora_a_stacked"):
                    layer = table.layer(linear.lora_a_stacked, linear.lora_b_stacked, linear.output_slices)
                    columns[place, number] = layer.first
                    self._layers[number][f"{name}_slices"] = len(layer.sizes)
        return columns

    def _cache(self, number: int, attention: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """Key and value halves of a layer's cache, as `CPUAttentionBackendImpl.forward` cuts them."""
        if number < len(self._caches) and self._caches[number][0] is attention.kv_cache:
            return self._caches[number][1:]
        cache = attention.kv_cache
        blocks, heads, size, _ = cache.shape
        key, value = cache.view(blocks, heads, size * 2, -1).chunk(2, dim=2)
        self._caches[number:] = [(cache, key, value)]
        return key, value


def _attend(
    attention: Any,
    metadata: Any,
    slots: torch.Tensor,
    states: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    cache: tuple[torch.Tensor, torch.Tensor],
    out: torch.Tensor,
) -> None:
    """What `CPUAttentionBackendImpl` does for a decoder: write key and value, then attend into `out`."""
    one, scales = attention.impl, (attention._k_scale_float, attention._v_scale_float)
    query, key, value = states
    torch.ops._C.cpu_attn_reshape_and_cache(key, value, *cache, slots, attention.isa, *scales, one.kv_cache_dtype)
    torch.ops._C.cpu_attention_with_kv_cache(
        query, *cache, out, metadata.query_start_loc, metadata.seq_lens, one.scale, metadata.causal, one.alibi_slopes,
        one.sliding_window, metadata.block_table, one.logits_soft_cap, metadata.scheduler_metadata, one.sinks,
        metadata.dynamic_causal, *scales, one.kv_cache_dtype,
    )  # fmt: skip


def use(engine: kernel.Kernel, prompts: bool) -> None:
    """Let vLLM's Llama and Qwen models take decode steps through `DecodeStep`, and `prompts` too; once."""
    from vllm.model_executor.models.llama import LlamaModel  # heavy
    from vllm.model_executor.models.qwen2 import Qwen2Model

    many = ROWS_A_THREAD * engine.threads() if prompts else None
    for model in (LlamaModel, Qwen2Model):
        patch_once(model, "forward", lambda stock: _forward(stock, engine, many))


def _forward(stock: Forward, engine: kernel.Kernel, many: int | None) -> Forward:
    """`many`: from how many rows on a step is a prompt that the kernel takes; None: it takes none."""
    from vllm.forward_context import get_forward_context, is_forward_context_available  # heavy

    def forward(
        self: Any, input_ids: Any, positions: Any, intermediate_tensors: Any, inputs_embeds: Any = None, **more: Any
    ) -> Any:
        rows = positions.shape[-1]
        plain = intermediate_tensors is None and not more and not self.aux_hidden_state_layers
        taken = rows <= AT_ONCE or (many is not None and rows >= many)
        if taken and plain and is_forward_context_available():
            step = self.__dict__.get("_cni_step", _ABSENT)
            if step is _ABSENT:
                decoder = read_decoder(self)
                step = self.__dict__["_cni_step"] = None if decoder is None else DecodeStep(engine, decoder)
            if step is not None:
                x = inputs_embeds if inputs_embeds is not None else self.embed_input_ids(input_ids)
                out = step.run(x, positions, get_forward_context())
                if out is not None:
                    return out
                inputs_embeds = x
        return stock(self, input_ids, positions, intermediate_tensors, inputs_embeds, **more)

    return forward

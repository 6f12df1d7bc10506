"""vLLM's attention for CPUs: a draft's row has the same bits as the same token alone, where no context is cut."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("vllm._custom_ops")

BLOCK = 32


class Cache:
    """One sequence of `length` tokens with random keys and values."""

    def __init__(self, heads: int, kv_heads: int, head: int, length: int) -> None:
        from vllm import _custom_ops as ops
        from vllm.v1.attention.backends.cpu_attn import _get_attn_isa

        self.shape = heads, kv_heads, head
        self.isa = _get_attn_isa(torch.bfloat16, BLOCK, head)
        blocks = length // BLOCK + 1
        cache = torch.zeros(blocks, kv_heads, BLOCK, 2 * head, dtype=torch.bfloat16)
        self.halves = cache.view(blocks, kv_heads, BLOCK * 2, -1).chunk(2, dim=2)
        self.table = torch.arange(blocks, dtype=torch.int32)[None]
        key, value = (torch.randn(length, kv_heads, head).bfloat16() for _ in range(2))
        slots = torch.arange(length, dtype=torch.int64)
        ops.cpu_attn_reshape_and_cache(key, value, *self.halves, slots, self.isa, 1.0, 1.0, "auto")

    def attend(self, query: torch.Tensor, length: int) -> torch.Tensor:
        """Query [rows, heads, head], the last rows of the sequence's first `length` tokens."""
        from vllm import _custom_ops as ops

        heads, kv_heads, head = self.shape
        starts = torch.tensor([0, len(query)], dtype=torch.int32)
        lengths = torch.tensor([length], dtype=torch.int32)
        plan = ops.cpu_attn_get_scheduler_metadata(
            num_reqs=1, num_heads=heads, num_kv_heads=kv_heads, head_dim=head, seq_lens=lengths, dtype=torch.bfloat16,
            query_start_loc=starts, causal=True, sliding_window_size=-1, isa=self.isa, enable_kv_split=False,
            dynamic_causal=None, kv_cache_dtype="auto",
        )  # fmt: skip
        out = torch.empty_like(query)
        torch.ops._C.cpu_attention_with_kv_cache(
            query, *self.halves, out, starts, lengths, head**-0.5, True, None, -1, self.table, 0.0, plan, None, None,
            1.0, 1.0, "auto",
        )  # fmt: skip
        return out


@pytest.mark.parametrize("shape", [(9, 3, 64), (16, 8, 128), (2, 1, 32)])
@pytest.mark.parametrize("length", [60, 350, 700])
@pytest.mark.parametrize("rows", [3, 9])
def test_rows_of_a_sequence_are_those_of_its_tokens_one_by_one(
    shape: tuple[int, int, int], length: int, rows: int
) -> None:
    torch.manual_seed(length)
    cache = Cache(*shape, length)
    query = torch.randn(rows, shape[0], shape[2]).bfloat16() * 2
    together = cache.attend(query, length)
    for row in range(rows):
        assert torch.equal(cache.attend(query[row : row + 1], length - rows + 1 + row)[0], together[row])

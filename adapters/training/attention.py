"""Causal attention for training on a CPU, in blocks of queries that look at no key behind them.

Eager attention computes all pairs of tokens, half of which the causal mask throws away, and keeps its probabilities
twice, in float32 for the softmax and in bfloat16 for the product: six bytes a pair, head and layer. This computes a
block's own pairs, while they lie in the core's cache, and keeps the bfloat16 ones alone; key and value heads are shared
unrepeated. The backward pass needs no sum over pairs: a row's is grad · output (section 3.1 of Dao et al. 2022,
arXiv:2205.14135, algorithm 4). Measured in docs/lab-notes.md. Rows are padded on the right, so a causal mask is all the
mask there is.
"""

from typing import Any

import torch

NAME = "lean"
_BLOCK = 128  # queries: a head's scores in float32 are 0.5 MiB at 1,000 keys


class _Attention(torch.autograd.Function):
    """softmax(q k' + mask) v, grouped heads: q (batch·kv heads, group, length, width), k and v (…, length, width)."""

    @staticmethod
    def forward(ctx: Any, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        out, kept = torch.empty_like(q), []
        for begin, end in _blocks(q):
            scores = torch.bmm(_rows(q, begin, end), k[:, :end].transpose(1, 2))
            scores = scores.view(*q.shape[:2], end - begin, end)
            scores[..., begin:].add_(_mask(end - begin, q))
            chances = torch.softmax(scores, -1, dtype=torch.float32).to(q.dtype).view(len(q), -1, end)
            out[:, :, begin:end] = torch.bmm(chances, v[:, :end]).view(*q.shape[:2], end - begin, -1)
            kept.append(chances)
        ctx.save_for_backward(q, k, v, out, *kept)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        q, k, v, out, *kept = ctx.saved_tensors
        (of_out,) = gradients
        of_q = torch.empty_like(q)
        of_k, of_v = (torch.zeros_like(tensor, dtype=torch.float32) for tensor in (k, v))
        sums = (of_out.float() * out.float()).sum(-1, keepdim=True)
        for chances, (begin, end) in zip(kept, _blocks(q), strict=True):
            of_rows = _rows(of_out, begin, end)
            of_scores = torch.bmm(of_rows, v[:, :end].transpose(1, 2)).float()
            of_scores.sub_(_rows(sums, begin, end)).mul_(chances)
            scores = of_scores.to(q.dtype)
            of_q[:, :, begin:end] = torch.bmm(scores, k[:, :end]).view(*q.shape[:2], end - begin, -1)
            of_k[:, :end] += torch.bmm(scores.transpose(1, 2), _rows(q, begin, end))
            of_v[:, :end] += torch.bmm(chances.transpose(1, 2), of_rows)
        return of_q, of_k.to(k.dtype), of_v.to(v.dtype)


def _blocks(q: torch.Tensor) -> list[tuple[int, int]]:
    """First and last + 1 of each block's queries."""
    return [(begin, min(begin + _BLOCK, q.shape[2])) for begin in range(0, q.shape[2], _BLOCK)]


def _rows(tensor: torch.Tensor, begin: int, end: int) -> torch.Tensor:
    """A block's queries of all heads of a group, one below the other: (batch·kv heads, group·(end-begin), …)."""
    return tensor[:, :, begin:end].reshape(len(tensor), -1, tensor.shape[-1])


def _mask(length: int, like: torch.Tensor) -> torch.Tensor:
    return torch.full((length, length), float("-inf"), dtype=like.dtype, device=like.device).triu_(1)


def lean_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """transformers' attention interface: query (batch, heads, length, width) → (batch, length, heads, width)."""
    del module, attention_mask  # causal, and nothing else: see the module's docstring
    batch, heads, length, width = query.shape
    shared = key.shape[1]
    scale = scaling if scaling is not None else width**-0.5
    grouped = (query * scale).reshape(batch * shared, heads // shared, length, width)
    flat = (tensor.reshape(batch * shared, length, width) for tensor in (key, value))
    out: torch.Tensor = _Attention.apply(grouped, *flat)  # type: ignore[no-untyped-call]
    return out.view(batch, heads, length, width).transpose(1, 2).contiguous(), None


def register() -> str:
    """Make it known to transformers; its name there."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, lean_attention)
    return NAME

"""Causal attention for training on a CPU: eager attention's products, a third of what it keeps for the backward pass.

Eager attention keeps its probabilities twice, in float32 for the softmax and in bfloat16 for the product: six bytes
for each pair of tokens, head and layer. This keeps the bfloat16 ones alone and shares key and value heads unrepeated.
Measured against it in docs/lab-notes.md. Rows are padded on the right, so a causal mask is all the mask there is.
"""

from typing import Any

import torch

NAME = "lean"


class _Attention(torch.autograd.Function):
    """softmax(q k' + mask) v for grouped heads: q (batch·kv heads, group·length, width), k and v (…, length, width)."""

    @staticmethod
    def forward(ctx: Any, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        scores = torch.bmm(q, k.transpose(1, 2)).view(len(q), -1, *mask.shape)
        chances = torch.softmax(scores.add_(mask), -1, dtype=torch.float32).to(q.dtype).view(*q.shape[:2], -1)
        ctx.save_for_backward(q, k, v, chances)
        return torch.bmm(chances, v)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        q, k, v, chances = ctx.saved_tensors
        out = gradients[0].contiguous()
        of_chances = torch.bmm(out, v.transpose(1, 2))
        of_scores = torch.ops.aten._softmax_backward_data(of_chances.float(), chances.float(), -1, torch.float32)
        of_scores = of_scores.to(q.dtype)
        of_q = torch.bmm(of_scores, k)
        of_k = torch.bmm(of_scores.transpose(1, 2), q)
        return of_q, of_k, torch.bmm(chances.transpose(1, 2), out), None


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
    grouped = (query * scale).reshape(batch * shared, heads // shared * length, width)
    flat = (tensor.reshape(batch * shared, length, width) for tensor in (key, value))
    mask = torch.full((length, length), float("-inf"), dtype=query.dtype, device=query.device).triu_(1)
    out: torch.Tensor = _Attention.apply(grouped, *flat, mask)  # type: ignore[no-untyped-call]
    return out.view(batch, heads, length, width).transpose(1, 2).contiguous(), None


def register() -> str:
    """Make it known to transformers; its name there."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, lean_attention)
    return NAME

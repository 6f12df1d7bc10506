"""The buffers of decode steps, made once a model, and the C++ struct `Step` that names them."""

from __future__ import annotations

import numpy as np
import torch

from server.cpu_lora.decoder import Decoder, Sizes

STEP = np.dtype(
    [(n, np.int64) for n in ("rows", "hidden", "heads", "kv_heads", "head", "inner", "threads", "groups", "stride")]
    + [
        (n, np.int64)
        for n in ("positions", "cos_sin", "x", "final_norm", "residual", "sum", "qkv", "attended", "gate_up")
    ]
    + [(n, np.int64) for n in ("act", "own", "out", "rounded", "row_scales", "row_sums", "widest")]
    + [(n, np.float64) for n in ("eps", "head_eps")]
)
"""The C++ struct `Step` (native/step.hpp), every field of 8 bytes."""


class StepBuffers:
    """Room for `rows` rows and `threads` threads, in bfloat16 and, for INT8 bases, in eight bits."""

    def __init__(self, sizes: Sizes, rows: int, threads: int) -> None:
        def room(width: int) -> torch.Tensor:
            return torch.empty(rows * width, dtype=torch.bfloat16)

        self._sizes = sizes
        self._qkv = room((sizes.heads + 2 * sizes.kv_heads) * sizes.head)
        self._attended = room(sizes.heads * sizes.head)
        self._others = {
            "residual": room(sizes.hidden), "sum": room(sizes.hidden), "gate_up": room(2 * sizes.inner),
            "act": room(sizes.inner), "own": room(threads * sizes.hidden),
        }  # fmt: skip
        widest = max(sizes.hidden, sizes.heads * sizes.head, sizes.inner)
        self._rounded = torch.empty(threads * rows * widest, dtype=torch.int8)
        self._of_rows = torch.empty((2, threads * rows), dtype=torch.int32)  # float32 scales, then sums
        self._step = np.zeros(1, dtype=STEP)
        named = {"qkv": self._qkv, "attended": self._attended, **self._others}
        for name, tensor in named.items():
            self._step[name] = tensor.data_ptr()
        for name in ("hidden", "heads", "kv_heads", "head", "inner"):
            self._step[name] = getattr(sizes, name)
        self._step["threads"], self._step["widest"] = threads, widest
        self._step["rounded"] = self._rounded.data_ptr()
        self._step["row_scales"], self._step["row_sums"] = (half.data_ptr() for half in self._of_rows)

    def views(self, rows: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Query, key, value and attention's output, [rows, heads, head] each: where the kernel writes and reads."""
        sizes = self._sizes
        heads, both = sizes.heads, sizes.heads + sizes.kv_heads
        width = both + sizes.kv_heads
        packed = self._qkv[: rows * width * sizes.head].view(rows, width, sizes.head)
        attended = self._attended[: rows * sizes.heads * sizes.head].view(rows, sizes.heads, sizes.head)
        return packed[:, :heads], packed[:, heads:both], packed[:, both:], attended

    def describe(
        self,
        decoder: Decoder,
        x: torch.Tensor,
        positions: torch.Tensor,
        out: torch.Tensor,
        adapters: tuple[int, int] = (0, 0),
    ) -> int:
        """The address of the `Step` of this batch: x and out [rows, hidden], positions [rows]; all must stay alive.

        adapters: how many groups of rows have one, and from one group's products to the next one's."""
        step = self._step
        step["groups"], step["stride"] = adapters
        step["rows"], step["positions"] = x.shape[0], positions.data_ptr()
        step["x"], step["out"] = x.data_ptr(), out.data_ptr()
        step["cos_sin"], step["final_norm"] = decoder.cos_sin.data_ptr(), decoder.final_norm.data_ptr()
        step["eps"], step["head_eps"] = decoder.eps, decoder.head_eps
        return int(step.ctypes.data)

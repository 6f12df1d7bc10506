"""The buffers of steps, kept by a model, and the C++ struct `Step` that names them."""

from __future__ import annotations

import numpy as np
import torch

from server.cpu_lora.decoder import Decoder, Sizes

AT_ONCE = 64
"""Rows that a thread has room for between two attentions; as in native/step.hpp."""

STEP = np.dtype(
    [(n, np.int64) for n in ("first", "rows", "hidden", "heads", "kv_heads", "head", "inner", "threads")]
    + [(n, np.int64) for n in ("groups", "stride", "positions", "cos_sin", "x", "final_norm")]
    + [(n, np.int64) for n in ("residual", "sum", "qkv", "attended", "gate_up", "act", "own", "out")]
    + [(n, np.int64) for n in ("rounded", "row_scales", "row_sums", "widest")]
    + [(n, np.float64) for n in ("eps", "head_eps")]
)
"""The C++ struct `Step` (native/step.hpp), every field of 8 bytes."""


class StepBuffers:
    """Room for `threads` threads, and for as many rows as there have been at most."""

    def __init__(self, sizes: Sizes, threads: int) -> None:
        widest, rows = max(sizes.hidden, sizes.heads * sizes.head, sizes.inner), threads * AT_ONCE
        widths = {"sum": sizes.hidden, "own": sizes.hidden, "gate_up": 2 * sizes.inner, "act": sizes.inner}
        self._own = {name: torch.empty(rows * width, dtype=torch.bfloat16) for name, width in widths.items()}
        self._own["rounded"] = torch.empty(rows * widest, dtype=torch.int8)
        self._own |= {name: torch.empty(rows, dtype=torch.int32) for name in ("row_scales", "row_sums")}
        self._sizes, self._rows = sizes, 0
        self._step = np.zeros(1, dtype=STEP)
        self._point_to(self._own)
        for name in ("hidden", "heads", "kv_heads", "head", "inner"):
            self._step[name] = getattr(sizes, name)
        self._step["threads"], self._step["widest"] = threads, widest

    def _point_to(self, buffers: dict[str, torch.Tensor]) -> None:
        for name, tensor in buffers.items():
            self._step[name] = tensor.data_ptr()

    def _hold(self, rows: int) -> None:
        """Room for the batch's rows, at least doubled: prompts come in many lengths."""
        if rows <= self._rows:
            return
        self._rows, sizes = max(rows, 2 * self._rows, AT_ONCE), self._sizes
        widths = (sizes.hidden, (sizes.heads + 2 * sizes.kv_heads) * sizes.head, sizes.heads * sizes.head)
        made = (torch.empty(self._rows * width, dtype=torch.bfloat16) for width in widths)
        self._residual, self._qkv, self._attended = made
        self._point_to({"residual": self._residual, "qkv": self._qkv, "attended": self._attended})

    def views(self, rows: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Query, key, value and attention's output, [rows, heads, head] each: where the kernel writes and reads.

        To be asked before `describe`: it makes room."""
        self._hold(rows)
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

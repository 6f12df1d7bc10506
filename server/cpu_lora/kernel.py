"""Loads and calls native/kernel.cpp: about 3 microseconds for a layer's LoRA where four PyTorch calls take 150.

Without a compiler, without AVX-512 BF16 or when the switch is off, there is no kernel and PyTorch's products serve.
"""

from __future__ import annotations

import ctypes
import logging
import subprocess
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from server.cpu_lora import build

MAX_RANK = 512
BLOCK = 32
"""Outputs that the linear kernel computes together; as in native/linear.hpp."""

PRODUCT = np.dtype([(n, np.int64) for n in ("a", "b", "rows", "count", "rank", "inputs", "outputs", "offset")])
"""The C++ struct `Product`: three addresses and five sizes, each of 8 bytes."""

Products = tuple[int, int, int, int]
"""The C++ struct `Products`: the first product's address, groups, slices, products from one group to the next."""

NOTHING: Products = (0, 0, 0, 0)

logger = logging.getLogger("vllm.cni_cpu_lora")


class Kernel:
    """The loaded library."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._add = library.cni_lora_add
        word, address = ctypes.c_int64, ctypes.c_void_p
        products = (address, word, word, word)  # as `Products`
        self._add.argtypes = (address, word, address, word, *products)
        self._add.restype = None
        self._linear = library.cni_linear
        self._linear.argtypes = (address, address, word, word, address, address, word, word, *products)
        self._linear.restype = None
        self._int8_linear = library.cni_int8_linear
        rows, weights, room = (address, address, word, word), (address, address, address, word, word), (address,) * 3
        self._int8_linear.argtypes = (*rows, *weights, *room)
        self._int8_linear.restype = None
        self._step = library.cni_step
        self._step.argtypes = [address, address, address]
        self._step.restype = None
        self._forbid = library.cni_forbid
        self._forbid.argtypes = (address, word, word, address, word, address, word)
        self._forbid.restype = None
        self._likeliest = library.cni_likeliest
        self._likeliest.argtypes = (address, word, word, word, *(address,) * 3)
        self._likeliest.restype = None
        self.threads = library.cni_threads
        self.threads.restype = word

    def add(self, y: torch.Tensor, x: torch.Tensor, products: Products) -> None:
        """Run `products` on x [rows, inputs], adding into y [rows, outputs]; both bfloat16 whose last dimension is
        dense. What `products` names must stay alive during the call."""
        self._add(y.data_ptr(), y.stride(0), x.data_ptr(), x.stride(0), *products)

    def linear(
        self, x: torch.Tensor, packed: torch.Tensor, bias: torch.Tensor | None, products: Products = NOTHING
    ) -> torch.Tensor:
        """x [rows, inputs] times W transposed, plus bias [outputs], plus `products`: [rows, outputs].

        packed: W as `pack` lays it out. All bfloat16 with a dense last dimension. Up to ten rows read W together.
        """
        blocks, pairs = packed.shape[:2]
        y = torch.empty((x.shape[0], blocks * BLOCK), dtype=x.dtype)
        offset = None if bias is None else bias.data_ptr()
        rows = (x.data_ptr(), x.stride(0), x.shape[0])
        self._linear(y.data_ptr(), *rows, packed.data_ptr(), offset, pairs * 2, blocks * BLOCK, *products)
        return y

    def int8_linear(
        self, x: torch.Tensor, packed: torch.Tensor, scales: torch.Tensor, bias: torch.Tensor | None
    ) -> torch.Tensor:
        """x [rows, inputs] rounded to eight bits a row, times W transposed, plus bias [outputs]: [rows, outputs].

        packed, scales: W as `pack_int8` lays it out, and float32 [outputs]. x and bias bfloat16, last dimension dense.
        """
        blocks, quads = packed.shape[:2]
        rows, inputs, outputs = x.shape[0], quads * 4, blocks * BLOCK
        y = torch.empty((rows, outputs), dtype=x.dtype)
        q, of_rows = torch.empty((rows, inputs), dtype=torch.int8), torch.empty((2, rows), dtype=torch.int32)
        weights = (packed.data_ptr(), None if bias is None else bias.data_ptr(), scales.data_ptr(), inputs, outputs)
        room = (q.data_ptr(), of_rows.data_ptr(), of_rows.data_ptr() + 4 * rows)
        self._int8_linear(y.data_ptr(), x.data_ptr(), x.stride(0), rows, *weights, *room)
        return y

    def step(self, step: int, before: int, after: int) -> None:
        """`run` of native/step.hpp: the addresses of a `Step` and of two `Layer`s, 0 for none."""
        self._step(step, before, after)

    def forbid(self, logits: torch.Tensor, masks: np.ndarray[Any, np.dtype[np.int32]], rows: Sequence[int]) -> None:
        """-inf in place in logits [rows, vocabulary], bfloat16 with a dense last dimension, where a bit is 0.

        masks [count, words of 32 bits] as xgrammar fills them, dense; tokens that they do not reach stay. rows: whose
        each one is, below 0 for nobody."""
        places = np.asarray(rows, np.int64)
        size, given = min(logits.shape[1], 32 * masks.shape[1]), masks.ctypes.data
        self._forbid(logits.data_ptr(), logits.stride(0), size, given, masks.shape[1], places.ctypes.data, len(places))

    def likeliest(self, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Of logits [rows, vocabulary], bfloat16 with a dense last dimension: the first of each row's likeliest tokens
        (int64 [rows]), how many are as likely (int64 [rows]) and its log-probability (float32 [rows])."""
        rows, size = logits.shape
        tokens, ranks = torch.empty((2, rows), dtype=torch.int64)
        logprobs = torch.empty(rows)
        found = (tokens.data_ptr(), ranks.data_ptr(), logprobs.data_ptr())
        self._likeliest(logits.data_ptr(), logits.stride(0), size, rows, *found)
        return tokens, ranks, logprobs


def dense_rows(x: torch.Tensor) -> torch.Tensor:
    """x [..., inputs] as the kernel reads it: [rows, inputs] whose last dimension is dense."""
    rows = x.reshape(-1, x.shape[-1])
    return rows if rows.stride(1) == 1 else rows.contiguous()


def pack(weight: torch.Tensor) -> torch.Tensor:
    """A copy of weight [outputs, inputs] in the kernel's order, [outputs / BLOCK, inputs / 2, BLOCK, 2]."""
    outputs, inputs = weight.shape
    return weight.view(outputs // BLOCK, BLOCK, inputs // 2, 2).transpose(1, 2).contiguous()


def pack_int8(weight: torch.Tensor) -> torch.Tensor:
    """A copy of int8 weight [outputs, inputs] in the kernel's order, uint8 [outputs / BLOCK, inputs / 4, BLOCK, 4].

    Each number plus 128: the processor multiplies numbers without a sign by numbers with one."""
    outputs, inputs = weight.shape
    without_sign = weight.view(torch.uint8) ^ 128
    return without_sign.view(outputs // BLOCK, BLOCK, inputs // 4, 4).transpose(1, 2).contiguous()


def packable(weight: torch.Tensor) -> bool:
    """Whether `linear` can read `weight`: a bfloat16 matrix of whole blocks."""
    if weight.dtype != torch.bfloat16 or weight.dim() != 2 or not weight.is_contiguous():
        return False
    return weight.shape[0] % BLOCK == 0 and weight.shape[1] % 2 == 0


def packable_int8(weight: torch.Tensor) -> bool:
    """Whether `int8_linear` can read `weight`: an int8 matrix of whole blocks, whole registers of inputs."""
    if weight.dtype != torch.int8 or weight.dim() != 2 or not weight.is_contiguous():
        return False
    return weight.shape[0] % BLOCK == 0 and weight.shape[1] % 16 == 0


def load_kernel(enabled: bool) -> Kernel | None:
    """The kernel, built first if need be; None, with one log line, where it cannot be had."""
    if not enabled or not torch.cpu._is_avx512_bf16_supported():
        return None
    try:
        return Kernel(ctypes.CDLL(str(build.built())))
    except (OSError, subprocess.SubprocessError, AttributeError) as error:
        # AttributeError: an old compiler does not know this processor's bfloat16 and leaves functions out.
        logger.warning("CPU LoRA: no compiled kernel (%s); PyTorch's products serve, slower in small batches.", error)
        return None

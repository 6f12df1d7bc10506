"""Builds, loads and calls native/kernel.cpp: about 3 microseconds for a layer's LoRA where four PyTorch calls take 150.

Built once per processor with the system's g++ and kept in the user's cache. Without a compiler, without AVX-512 BF16 or
when the switch is off, there is no kernel and the wrapper uses PyTorch's products.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch

MAX_RANK = 512
MAX_ROWS = 128
"""Groups of more rows (prefill) go to PyTorch, whose blocked product then pays."""

BLOCK = 32
"""Outputs that the linear kernel computes together; as in native/linear.hpp."""

PRODUCT = np.dtype([(n, np.int64) for n in ("a", "b", "rows", "count", "rank", "inputs", "outputs", "offset")])
"""The C++ struct `Product`: three addresses and five sizes, each of 8 bytes."""

Products = tuple[int, int, int, int]
"""The C++ struct `Products`: the first product's address, groups, slices, products from one group to the next."""

NOTHING: Products = (0, 0, 0, 0)

_SOURCES = Path(__file__).with_name("native")
# -fopenmp: the threads are those of the runtime that PyTorch has loaded (the same library name, or a preloaded one).
_FLAGS = ("-O3", "-march=native", "-std=c++17", "-shared", "-fPIC", "-fopenmp")
_BUILD_SECONDS = 120

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
        self._step = library.cni_step
        self._step.argtypes = [address, address, address]
        self._step.restype = None
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

        packed: W as `pack` lays it out. All bfloat16 with a dense last dimension. Six rows share one reading of W.
        """
        blocks, pairs = packed.shape[:2]
        y = torch.empty((x.shape[0], blocks * BLOCK), dtype=x.dtype)
        offset = None if bias is None else bias.data_ptr()
        rows = (x.data_ptr(), x.stride(0), x.shape[0])
        self._linear(y.data_ptr(), *rows, packed.data_ptr(), offset, pairs * 2, blocks * BLOCK, *products)
        return y

    def step(self, step: int, before: int, after: int) -> None:
        """`run` of native/step.hpp: the addresses of a `Step` and of two `Layer`s, 0 for none."""
        self._step(step, before, after)


def pack(weight: torch.Tensor) -> torch.Tensor:
    """A copy of weight [outputs, inputs] in the kernel's order, [outputs / BLOCK, inputs / 2, BLOCK, 2]."""
    outputs, inputs = weight.shape
    return weight.view(outputs // BLOCK, BLOCK, inputs // 2, 2).transpose(1, 2).contiguous()


def packable(weight: torch.Tensor) -> bool:
    """Whether `linear` can read `weight`: a bfloat16 matrix of whole blocks."""
    if weight.dtype != torch.bfloat16 or weight.dim() != 2 or not weight.is_contiguous():
        return False
    return weight.shape[0] % BLOCK == 0 and weight.shape[1] % 2 == 0


def load_kernel(enabled: bool) -> Kernel | None:
    """The kernel, built first if need be; None, with one log line, where it cannot be had."""
    if not enabled or not torch.cpu._is_avx512_bf16_supported():
        return None
    try:
        return Kernel(ctypes.CDLL(str(_built())))
    except (OSError, subprocess.SubprocessError, AttributeError) as error:
        # AttributeError: an old compiler does not know this processor's bfloat16 and leaves functions out.
        logger.warning("CPU LoRA: no compiled kernel (%s); PyTorch's products serve, slower in small batches.", error)
        return None


def _built() -> Path:
    processor = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")), "")
    sources = b"".join(path.read_bytes() for path in sorted(_SOURCES.iterdir()))
    compiler = os.path.realpath(_compiler() or "none")  # its name says its version: a newer one knows more processors
    key = hashlib.sha256(sources + " ".join((*_FLAGS, processor, compiler)).encode()).hexdigest()[:16]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cni-lora-server"
    library = folder / f"lora-{key}.so"
    if not library.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _compile(library)
    return library


def _compiler() -> str | None:
    return shutil.which("g++") or shutil.which("c++")


def _compile(library: Path) -> None:
    compiler = _compiler()
    if compiler is None:
        raise FileNotFoundError("no C++ compiler")
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        made = Path(scratch) / library.name
        command = [compiler, *_FLAGS, str(_SOURCES / "kernel.cpp"), "-o", str(made)]
        subprocess.run(command, check=True, capture_output=True, timeout=_BUILD_SECONDS)
        made.replace(library)  # atomic: several workers may build at once

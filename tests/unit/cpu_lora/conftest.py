"""What the tests of the compiled kernel share."""

from __future__ import annotations

import pytest

from server.cpu_lora import kernel


@pytest.fixture(scope="module")
def engine() -> kernel.Kernel:
    loaded = kernel.load_kernel(True)
    if loaded is None:
        pytest.skip("no AVX-512 BF16 or no C++ compiler here")
    return loaded

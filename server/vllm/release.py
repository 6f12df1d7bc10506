"""Small things that vLLM's package brings along: the API server's module, its version, NVIDIA's driver."""

from typing import Any

API_SERVER = "vllm.entrypoints.launchers.api_server.entry"
"""The module that runs as its API server."""


def version() -> str:
    """Of the vLLM that runs, its build tag (`+cpu`) included."""
    import vllm

    return str(vllm.__version__)


def nvidia() -> Any:
    """The driver's library, ready to be asked. Raises its own kinds, and another where no driver is installed."""
    from vllm.third_party import pynvml

    pynvml.nvmlInit()
    return pynvml

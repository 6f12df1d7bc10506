"""A request with a seed whose prompt is read in pieces must not end the engine on a CPU.

A step that reads a part of a prompt samples a token that nobody gets, and vLLM 0.32 then rewinds the request's
generator by CUDA's counter (`GPUModelRunner._bookkeeping_sync`). A CPU's generator has none and raises, in the engine's
loop: one such request ended the server for all. Here the generator's state is kept before the sampling instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cpu_lora.patching import patch_once


def keep() -> None:
    """Let discarded tokens leave their generators as they were, once; only where the model runs on a CPU."""
    from vllm.v1.worker.gpu_model_runner import GPUModelRunner  # heavy

    patch_once(GPUModelRunner, "_sample", _sampled)
    patch_once(GPUModelRunner, "_bookkeeping_sync", _booked)


def _discarded(runner: Any) -> dict[int, Any]:
    """Generators of the requests whose token of this step is dropped, by their row."""
    dropped = runner.discard_request_mask.np
    rows = runner.input_batch.num_reqs
    return {row: kept for row, kept in runner.input_batch.generators.items() if row < rows and dropped[row]}


def _sampled(stock: Callable[..., Any]) -> Callable[..., Any]:
    def _sample(self: Any, *arguments: Any, **named: Any) -> Any:
        before = [(generator, generator.get_state()) for generator in _discarded(self).values()]
        output = stock(self, *arguments, **named)
        for generator, state in before:
            generator.set_state(state)
        return output

    return _sample


def _booked(stock: Callable[..., Any]) -> Callable[..., Any]:
    def _bookkeeping_sync(self: Any, *arguments: Any, **named: Any) -> Any:
        rewound = _discarded(self)
        for row in rewound:
            del self.input_batch.generators[row]
        try:
            return stock(self, *arguments, **named)
        finally:
            self.input_batch.generators.update(rewound)

    return _bookkeeping_sync

"""A seeded request's generator where vLLM drops a token that it sampled."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from server.vllm import seeds


class _Runner:
    """Like vLLM's: samples one number a row, then rewinds the generators of dropped rows by CUDA's counter."""

    def __init__(self, dropped: list[bool]) -> None:
        self.discard_request_mask = SimpleNamespace(np=np.array([*dropped, True]))  # one more row than requests
        generators = {row: torch.Generator().manual_seed(row) for row in range(len(dropped))}
        self.input_batch = SimpleNamespace(num_reqs=len(dropped), generators=generators)

    def _sample(self) -> dict[int, float]:
        return {row: float(torch.rand(1, generator=kept)) for row, kept in self.input_batch.generators.items()}

    def _bookkeeping_sync(self, fails: bool = False) -> None:
        for row in np.nonzero(self.discard_request_mask.np[: self.input_batch.num_reqs])[0]:
            kept = self.input_batch.generators.get(int(row))
            if kept is not None:
                kept.set_offset(kept.get_offset() - 4)
        if fails:
            raise OSError


@pytest.fixture
def runner() -> Any:
    """Rows 0 and 2 read a part of their prompts; row 1 answers."""
    made = type("Runner", (_Runner,), {})
    made._sample = seeds._sampled(_Runner._sample)  # type: ignore[attr-defined]
    made._bookkeeping_sync = seeds._booked(_Runner._bookkeeping_sync)  # type: ignore[attr-defined]
    return made([True, False, True])


def test_the_stock_runner_fails_on_a_cpu() -> None:
    with pytest.raises(RuntimeError, match="offset"):
        _Runner([True])._bookkeeping_sync()


def test_a_dropped_token_leaves_the_generator_as_it_was(runner: Any) -> None:
    first = runner._sample()
    runner._bookkeeping_sync()
    second = runner._sample()
    assert (first[0], first[2]) == (second[0], second[2])
    assert first[1] != second[1], "who got the token goes on"


def test_all_generators_are_there_afterwards(runner: Any) -> None:
    before = dict(runner.input_batch.generators)
    with pytest.raises(OSError):
        runner._bookkeeping_sync(fails=True)
    assert runner.input_batch.generators == before

"""The two layers that are not linear: embedding (rows of A gathered beforehand) and logits (sampled rows only)."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from server.cpu_lora import reference
from tests.unit.cpu_lora.batches import Batch, agree, batches, generator, stacked, wrapper_for


@given(batches(), st.sampled_from([8, 24]), st.sampled_from([1, 4, 16]))
@settings(max_examples=80, deadline=None)
def test_embedding_agrees_with_float64(batch: Batch, hidden: int, rank: int) -> None:
    rng = generator(batch)
    _, b = stacked(batch, hidden, 8, rank, rng)
    low = torch.randn(batch.rows, rank, generator=rng).to(batch.dtype)
    y = torch.randn(batch.rows, hidden, generator=rng).to(batch.dtype)
    wanted = reference.expand(y, [low], b_stacked=[b], output_slices=[hidden], slots=batch.slots)
    wrapper_for(batch).add_lora_embedding(y, low, b, add_input=True)
    agree(y, wanted, batch.dtype)


@given(batches(padded=False), st.data())
@settings(max_examples=80, deadline=None)
def test_logits_use_the_sampled_rows(batch: Batch, data: st.DataObject) -> None:
    rng = generator(batch)
    samples = data.draw(st.lists(st.integers(-1, batch.slot_count - 1), min_size=1, max_size=6))
    vocabulary, padded = 48, data.draw(st.sampled_from([48, 64]))
    a, b = stacked(batch, vocabulary, 16, 8, rng)
    hidden = torch.randn(len(samples), 16, generator=rng).to(batch.dtype)
    y = torch.randn(len(samples), padded, generator=rng).to(batch.dtype)
    wanted = reference.linear(y, hidden, a_stacked=[a], b_stacked=[b], output_slices=[vocabulary], slots=samples)
    wrapper_for(batch, samples).add_lora_logits(y, hidden, a, b, 1.0)
    agree(y, wanted, batch.dtype)


@pytest.mark.parametrize("slot", [-1, 0, 1])
def test_prompt_logprobs_of_one_request_have_more_rows_than_samples(slot: int) -> None:
    batch = Batch((slot,) * 5, 2, 0, True, torch.float32, 7)
    rng = generator(batch)
    a, b = torch.randn(2, 1, 4, 16, generator=rng), torch.randn(2, 1, 48, 4, generator=rng)
    hidden, y = torch.randn(5, 16, generator=rng), torch.randn(5, 48, generator=rng)
    wanted = reference.linear(y, hidden, a_stacked=[a], b_stacked=[b], output_slices=[48], slots=[slot] * 5)
    wrapper_for(batch, [slot]).add_lora_logits(y, hidden, a, b, 1.0)
    agree(y, wanted, torch.float32)


@pytest.mark.parametrize("rows", [1, 7])
def test_prompt_logprobs_beside_other_adapters_touch_nothing(rows: int) -> None:
    """vLLM does not say whose rows they are: rather no adapter than another request's."""
    batch = Batch((0, 1, -1), 2, 0, True, torch.float32, 7)
    rng = generator(batch)
    a, b = torch.randn(2, 1, 4, 16, generator=rng), torch.randn(2, 1, 48, 4, generator=rng)
    hidden, y = torch.randn(rows, 16, generator=rng), torch.randn(rows, 48, generator=rng)
    before = y.clone()
    wrapper_for(batch, [0, 1, -1]).add_lora_logits(y, hidden, a, b, 1.0)
    assert torch.equal(y, before)

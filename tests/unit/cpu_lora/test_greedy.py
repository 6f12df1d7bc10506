"""Grammars, likeliest tokens and their log-probabilities: what vLLM gives for them, by our kernel."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("vllm")

from server.cpu_lora import greedy, kernel
from server.vllm.contract import PARTS, broken

WORDS = st.sampled_from([1, 15, 16, 31, 32, 33, 100, 640, 1003])
DRAFTED = st.lists(st.integers(0, 5), min_size=1, max_size=5)


def sampling(**more: Any) -> Any:
    """vLLM's metadata of requests that all take their likeliest token."""
    from vllm.v1.sample.logits_processor import LogitsProcessors
    from vllm.v1.sample.metadata import SamplingMetadata

    plain = SamplingMetadata(
        temperature=None, all_greedy=True, all_random=False, top_p=None, top_k=None, generators={}, max_num_logprobs=0,
        no_penalties=True, prompt_token_ids=None, frequency_penalties=torch.zeros(0), presence_penalties=torch.zeros(0),
        repetition_penalties=torch.zeros(0), output_token_ids=[], allowed_token_ids_mask=None, bad_words_token_ids={},
        logitsprocs=LogitsProcessors(),
    )  # fmt: skip
    return replace(plain, **more)


def some_logits(rows: int, words: int, seed: int) -> torch.Tensor:
    made = torch.randn(rows, words, generator=torch.Generator().manual_seed(seed)) * 4
    return made.round(decimals=1).to(torch.bfloat16)  # equal ones, too


@settings(max_examples=60, deadline=None)
@given(WORDS, st.integers(1, 7), st.integers(0, 1000))
def test_the_likeliest_is_torchs(engine: kernel.Kernel, words: int, rows: int, seed: int) -> None:
    logits = some_logits(rows, words + 3, seed)[:, :words]  # rows that do not follow each other
    tokens, ranks, logprobs = engine.likeliest(logits)
    whole = logits.float()
    assert torch.equal(tokens, whole.argmax(1))
    assert torch.equal(ranks, (whole >= whole.max(1, keepdim=True).values).sum(1))
    assert torch.allclose(logprobs, whole.log_softmax(1).max(1).values, atol=1e-5)
    alone = [engine.likeliest(row.unsqueeze(0))[2] for row in logits]
    assert torch.equal(torch.cat(alone), logprobs)  # whatever else is in the batch


@settings(max_examples=60, deadline=None)
@given(WORDS, st.integers(1, 6), st.integers(0, 1000))
def test_what_a_grammar_forbids_is_forbidden(engine: kernel.Kernel, words: int, count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    masks = random.integers(-(2**31), 2**31, (count, (words + 31) // 32), dtype=np.int64).astype(np.int32)
    rows = random.permutation(count + 2)[:count].tolist()
    logits = some_logits(count + 2, words, seed)
    wanted = logits.float()
    bits = np.unpackbits(masks.view(np.uint8), axis=1, bitorder="little")[:, :words]  # xgrammar's order
    wanted[rows] = wanted[rows].masked_fill(torch.from_numpy(bits == 0), -torch.inf)
    engine.forbid(logits, masks, rows)
    assert torch.equal(logits.float(), wanted)
    engine.forbid(logits, np.zeros_like(masks), [-1] * count)  # nobody's
    assert torch.equal(logits.float(), wanted)
    if masks.shape[1] > 1:  # tokens beyond the mask's
        engine.forbid(logits, np.zeros_like(masks[:1, :1]), [0])
        assert logits[0, :32].isneginf().all() and torch.equal(logits[0, 32:].float(), wanted[0, 32:])


@settings(max_examples=60, deadline=None)
@given(DRAFTED, st.randoms(use_true_random=False))
def test_a_verified_step_is_vllms(engine: kernel.Kernel, drafted: list[int], rng: Any) -> None:
    from vllm.utils.cpu_triton_utils import _rejection_greedy_sample_kernel_impl as on_a_cpu
    from vllm.v1.sample import rejection_sampler
    from vllm.v1.sample.rejection_sampler import RejectionSampler
    from vllm.v1.sample.sampler import Sampler
    from vllm.v1.spec_decode.metadata import SpecDecodeMetadata

    stock = RejectionSampler.__new__(RejectionSampler)  # its own makes Triton's kernels
    torch.nn.Module.__init__(stock)
    stock.sampler, stock.synthetic_mode, stock.synthetic_conditional_rates = Sampler(), False, None
    stock.is_processed_logprobs_mode = stock.is_logits_logprobs_mode = stock.use_fp64_gumbel = False
    logits = some_logits(sum(drafted) + len(drafted), 300, rng.randrange(1 << 30))
    likeliest, at, guesses = logits.float().argmax(1).tolist(), 0, []
    for count in drafted:  # most of them right, as drafts are
        guesses.append([likeliest[at + n] if rng.random() < 0.7 else rng.randrange(300) for n in range(count)])
        at += count + 1
    metadata = SpecDecodeMetadata.make_dummy(guesses, torch.device("cpu"))
    ends = torch.tensor(drafted, dtype=torch.int32).add(1).cumsum(0).to(torch.int32)
    metadata.cu_num_sampled_tokens, metadata.bonus_logits_indices = ends, ends - 1
    targets = sorted({*range(len(logits))} - set((ends - 1).tolist()))
    metadata.target_logits_indices = torch.tensor(targets, dtype=torch.int32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rejection_sampler, "_rejection_greedy_sample", on_a_cpu)
        wanted = RejectionSampler.forward(stock, metadata, None, logits.clone(), sampling())
    found = greedy._verifying(RejectionSampler.forward, engine)(stock, metadata, None, logits, sampling())
    assert torch.equal(found.sampled_token_ids, wanted.sampled_token_ids)
    tokens, logprobs = RejectionSampler.parse_output(found.sampled_token_ids, 300, (), found.logprobs_tensors)
    their_tokens, theirs = RejectionSampler.parse_output(wanted.sampled_token_ids, 300, (), wanted.logprobs_tensors)
    assert tokens == their_tokens and logprobs is not None and theirs is not None
    assert np.array_equal(logprobs.logprob_token_ids, theirs.logprob_token_ids)
    assert np.allclose(logprobs.logprobs, theirs.logprobs, atol=1e-5)
    assert np.array_equal(logprobs.sampled_token_ranks, theirs.sampled_token_ranks)


def test_a_step_without_drafts_is_vllms(engine: kernel.Kernel) -> None:
    from vllm.v1.sample.sampler import Sampler

    logits, forward = some_logits(5, 700, 3), greedy._choosing(Sampler.forward, engine)
    wanted, found = Sampler.forward(Sampler(), logits.clone(), sampling()), forward(Sampler(), logits, sampling())
    assert torch.equal(found.sampled_token_ids, wanted.sampled_token_ids)
    assert found.sampled_token_ids.dtype == wanted.sampled_token_ids.dtype
    for mine, theirs in zip(found.logprobs_tensors[:3], wanted.logprobs_tensors[:3], strict=True):
        assert mine.shape == theirs.shape and torch.allclose(mine.float(), theirs.float(), atol=1e-5)
    nothing = sampling(max_num_logprobs=None)
    assert forward(Sampler(), logits, nothing).logprobs_tensors is None


@pytest.mark.parametrize(
    "more",
    [
        {"all_greedy": False},
        {"max_num_logprobs": 2},
        {"logprob_token_ids": {0: [1]}},
        {"no_penalties": False},
        {"bad_words_token_ids": {0: [[1]]}},
        {"allowed_token_ids_mask": torch.ones(1, 1)},
        {"logitsprocs": SimpleNamespace(non_argmax_invariant=[SimpleNamespace(biases={0: {1: 2.0}})])},
        {"logitsprocs": SimpleNamespace(non_argmax_invariant=[SimpleNamespace(min_toks={0: ()})])},
        {"logitsprocs": SimpleNamespace(non_argmax_invariant=[object()])},
        {"thinking_budget_state_holder": SimpleNamespace(has_tracked_requests=lambda: True)},
    ],
)
def test_whoever_asks_for_more_gets_it_from_vllm(engine: kernel.Kernel, more: dict[str, Any]) -> None:
    forward = greedy._choosing(lambda *_: "stock", engine)
    sampler, logits = SimpleNamespace(logprobs_mode="raw_logprobs"), some_logits(2, 64, 1)
    assert forward(sampler, logits, sampling(**more)) == "stock"
    idle = [SimpleNamespace(biases={}), SimpleNamespace(min_toks={})]
    plain = sampling(logitsprocs=SimpleNamespace(non_argmax_invariant=idle))
    assert forward(sampler, logits, plain) != "stock"
    assert forward(SimpleNamespace(logprobs_mode="processed_logprobs"), logits, plain) == "stock"
    assert forward(sampler, logits.float(), plain) == "stock"


def test_masks_find_their_rows_behind_drafts(engine: kernel.Kernel) -> None:
    """Requests of the batch in its order, masks in another one, one of a request that is not in the batch."""
    mask = greedy._masking(lambda *_: pytest.fail("vLLM's was called"), engine)
    logits = torch.zeros(6, 40, dtype=torch.bfloat16)
    drafts = SimpleNamespace(scheduled_spec_decode_tokens={"a": [1, 2], "gone": [7]})
    allowed = np.zeros((6, 2), np.int32)
    allowed[0] = 1, 0  # b: token 0
    allowed[1:3] = -1  # gone
    allowed[3], allowed[4], allowed[5] = (2, 0), (4, 0), (0, 128)  # a's three rows: tokens 1, 2 and 39
    given = SimpleNamespace(structured_output_request_ids=["b", "gone", "a"], grammar_bitmask=allowed)
    mask(drafts, given, SimpleNamespace(req_ids=["free", "a", "b", "free too"]), logits)
    open_to = [row.isfinite().nonzero().flatten().tolist() for row in logits.float()]
    assert open_to == [list(range(40)), [1], [2], [39], [0], list(range(40))]


def test_what_it_needs_of_vllm_is_in_the_contract() -> None:
    assert not broken(PARTS["cpu"])

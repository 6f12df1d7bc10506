"""Answered tokens' log-probabilities: what vLLM gives for them, without what it computes for rejected rows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("vllm")

SIZES = st.lists(st.integers(0, 5), min_size=1, max_size=5)


@settings(max_examples=40, deadline=None)
@given(SIZES, st.randoms(use_true_random=False))
def test_they_are_those_of_vllm(drafted: list[int], rng: object) -> None:
    import torch
    from vllm.v1.sample import sampler as samplers
    from vllm.v1.sample.rejection_sampler import RejectionSampler
    from vllm.v1.spec_decode.metadata import SpecDecodeMetadata

    from server.drafts.logprobs import own

    torch.manual_seed(rng.randrange(1 << 30))  # type: ignore[attr-defined]
    stock = RejectionSampler.__new__(RejectionSampler)
    torch.nn.Module.__init__(stock)
    stock.sampler, stock.is_logits_logprobs_mode, stock.is_processed_logprobs_mode = samplers.Sampler(), False, False
    rows, most = sum(drafted) + len(drafted), max(drafted) + 1
    logits = torch.randn(rows, 300) * 4
    sampled = torch.randint(0, 300, (len(drafted), most), dtype=torch.int32)
    for request, count in enumerate(drafted):
        sampled[request, torch.randint(1, count + 2, ()).item() :] = -1
    metadata = SpecDecodeMetadata.make_dummy([[1] * count for count in drafted], torch.device("cpu"))
    ends = torch.tensor(drafted, dtype=torch.int32).add(1).cumsum(0).to(torch.int32)
    metadata.cu_num_sampled_tokens = ends
    metadata.bonus_logits_indices = ends - 1
    metadata.target_logits_indices = torch.tensor(sorted({*range(rows)} - set((ends - 1).tolist())), dtype=torch.int32)
    wanted = stock._get_logprobs_tensors(
        0, metadata, logits, logits[metadata.target_logits_indices], logits[metadata.bonus_logits_indices], sampled
    )
    found, said = own(logits, ends, sampled), (sampled >= 0).flatten()
    assert torch.equal(found.logprob_token_ids[said], wanted.logprob_token_ids[said])
    assert torch.allclose(found.logprobs[said], wanted.logprobs[said], atol=1e-5)
    assert torch.equal(found.selected_token_ranks[said], wanted.selected_token_ranks[said])
    assert found.logprobs.shape == wanted.logprobs.shape


def test_who_asks_for_more_gets_it_from_vllm() -> None:
    from types import SimpleNamespace

    from server.drafts.logprobs import _shortened

    asked = _shortened(lambda self, most, *_: ("stock", most))
    plain = SimpleNamespace(is_logits_logprobs_mode=False, is_processed_logprobs_mode=False)
    assert asked(plain, 3, None, None, None, None, None) == ("stock", 3)
    other = SimpleNamespace(is_logits_logprobs_mode=True, is_processed_logprobs_mode=False)
    assert asked(other, 0, None, None, None, None, None) == ("stock", 0)

"""The compiled kernels in a real engine: bfloat16 answers against transformers + PEFT, and alone against in a crowd.

In bfloat16 two right computations differ by rounding, so a token may differ where two tokens are nearly as likely:
asked for is that every token is as likely as the best one, to rounding, by the reference's reading of the same answer,
and that ours is no farther from float32 than the reference in bfloat16 is.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from server.cpu_lora.buffers import AT_ONCE
from server.cpu_lora.kernel import load_kernel
from server.cpu_lora.step import DecodeStep
from tests.e2e.cpu_lora.conftest import ADAPTERS, TOKENS, VOCABULARY, Family, make_family
from tests.support.engines import small_engine

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

BASE = -1
SHORT = [40, 41, 42, 43, 44, 45, 46]
LONG = [(7 * i * i + 3 * i) % (VOCABULARY - 8) + 4 for i in range(220)]
ROUNDING = 0.15  # in log-probability, of two bfloat16 computations of these weights
Answer = tuple[list[int], list[float]]


@pytest.fixture(scope="module", params=["qwen3", "llama"])
def family(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Family:
    """Both architectures that the step kernel knows; the embedded base is a Llama."""
    return make_family(tmp_path_factory.mktemp("cpu-lora"), request.param)


@pytest.fixture(scope="module")
def engine(family: Family) -> Iterator[Any]:
    yield from _started(family, max_loras=ADAPTERS)


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[tuple[Any, Family]]:
    """Three slots, and memory for five of the eight adapters."""
    family = make_family(tmp_path, "llama")
    for llm in _started(family, max_loras=3, max_cpu_loras=5):
        yield llm, family


def _started(family: Family, **places: int) -> Iterator[Any]:
    if load_kernel(True) is None:
        pytest.skip("need AVX-512 BF16 and a C++ compiler")
    with small_engine(
        family.base,
        dtype="bfloat16",
        max_model_len=256,
        max_num_batched_tokens=192,  # long prompts arrive in chunks
        max_num_seqs=2 * AT_ONCE,
        enable_prefix_caching=False,
        **places,
    ) as llm:
        llm.generate([{"prompt_token_ids": SHORT}], use_tqdm=False)
        assert llm.apply_model(_steps) == [True], "the step kernel does not know this model"
        yield llm


def _steps(model: Any) -> bool:
    """In the engine's process, after its first few rows."""
    return isinstance(model.model.__dict__.get("_cni_step"), DecodeStep)


def _answers(engine: Any, family: Family, wanted: list[tuple[int, list[int]]]) -> list[Answer]:
    """Greedy tokens and their log-probabilities; every pair is (adapter's number or BASE, prompt), all in one batch."""
    from vllm import SamplingParams
    from vllm.lora.request import LoRARequest

    outputs = engine.generate(
        [{"prompt_token_ids": prompt} for _, prompt in wanted],
        SamplingParams(temperature=0, max_tokens=TOKENS, ignore_eos=True, logprobs=0),
        lora_request=[None if n == BASE else LoRARequest(f"a{n}", n + 1, str(family.adapters[n])) for n, _ in wanted],
        use_tqdm=False,
    )
    parts = [output.outputs[0] for output in outputs]
    return [
        (list(p.token_ids), [step[t].logprob for t, step in zip(p.token_ids, p.logprobs, strict=True)]) for p in parts
    ]


@torch.no_grad()
def _reading(
    base: Path, adapter: Path | None, prompt: list[int], tokens: list[int], dtype: torch.dtype = torch.bfloat16
) -> torch.Tensor:
    """Log-probabilities [tokens, vocabulary] of transformers (+ PEFT) in `dtype`, given the answer so far."""
    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=dtype)
    if adapter is not None:
        model = PeftModel.from_pretrained(model, adapter, autocast_adapter_dtype=False).to(dtype)
    logits = model.eval()(torch.tensor([[*prompt, *tokens]])).logits[0, len(prompt) - 1 : -1]
    return torch.log_softmax(logits.float(), dim=-1)


@pytest.mark.parametrize("prompt", [SHORT, LONG], ids=["short", "chunked"])
def test_eight_adapters_and_the_base_agree_with_peft(engine: Any, family: Family, prompt: list[int]) -> None:
    numbers = [*range(ADAPTERS), BASE]  # nine rows a step: the kernel's
    readings, ours, theirs = [], [], []
    for number, (tokens, logprobs) in zip(
        numbers, _answers(engine, family, [(n, prompt) for n in numbers]), strict=True
    ):
        adapter = None if number == BASE else family.adapters[number]
        reading = _reading(family.base, adapter, prompt, tokens)
        exact = _reading(family.base, adapter, prompt, tokens, torch.float32)[range(TOKENS), tokens]
        chosen = reading[range(TOKENS), tokens]
        if family.name == "qwen3":
            torch.testing.assert_close(torch.tensor(logprobs), chosen, rtol=0, atol=ROUNDING)
        # The Llama's reference is itself up to 0.32 from float32 in bfloat16, so that it bounds less.
        assert (reading.max(dim=-1).values - chosen).max() < (ROUNDING if family.name == "qwen3" else 2 * ROUNDING)
        ours.append((torch.tensor(logprobs) - exact).abs())
        theirs.append((chosen - exact).abs())
        readings.append(reading[0])
    assert torch.cat(ours).mean() < 1.5 * torch.cat(theirs).mean()
    assert torch.cat(ours).max() < 2 * ROUNDING
    apart = [(one - other).abs().max() for place, one in enumerate(readings) for other in readings[:place]]
    assert min(apart) > 2 * ROUNDING, "adapters that answer alike prove nothing"


@pytest.mark.parametrize("crowd", [8, AT_ONCE // 2, 2 * AT_ONCE], ids=["columns", "full columns", "rows"])
def test_an_answer_alone_is_the_answer_in_a_crowd(engine: Any, family: Family, crowd: int) -> None:
    """The largest crowd's steps are shared by rows where there are few threads, and oneDNN's where there are many."""
    cases = [(n, p) for n in (BASE, 3, 7, 0) for p in (SHORT, LONG)]
    everyone = (cases * (crowd // len(cases)))[:crowd]
    together = _answers(engine, family, everyone)
    for case in cases:
        (alone,) = _answers(engine, family, [case])
        for other, answer in zip(everyone, together, strict=True):
            if other == case:
                _same_to_rounding(answer, alone)


def test_adapters_that_take_turns_in_few_slots_answer_as_they_do_alone(crowded: tuple[Any, Family]) -> None:
    engine, family = crowded
    numbers, alone, draw = [BASE, *range(ADAPTERS)], dict[int, Answer](), random.Random(5)
    for number in numbers:
        (alone[number],) = _answers(engine, family, [(number, SHORT)])
        tokens, logprobs = alone[number]
        adapter = None if number == BASE else family.adapters[number]
        exact = _reading(family.base, adapter, SHORT, tokens, torch.float32)[range(TOKENS), tokens]
        assert (torch.tensor(logprobs) - exact).abs().max() < 2 * ROUNDING
    for _ in range(6):
        batch = draw.choices(numbers, k=9)  # vLLM runs those whose adapters have a slot, and the others after them
        answers = _answers(engine, family, [(number, SHORT) for number in batch])
        for number, answer in zip(batch, answers, strict=True):
            _same_to_rounding(answer, alone[number])


def _same_to_rounding(one: Answer, other: Answer) -> None:
    for token, wanted, logprob, expected in zip(one[0], other[0], one[1], other[1], strict=True):
        assert logprob == pytest.approx(expected, abs=ROUNDING)
        if token != wanted:
            return  # a near tie, as the line above says; from here on the two answer different texts

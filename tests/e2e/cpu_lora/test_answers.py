"""What the engine answers with LoRA on a CPU, against transformers + PEFT and against itself without neighbours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import Qwen3ForCausalLM

from tests.e2e.cpu_lora.conftest import ADAPTERS, TOKENS, VOCABULARY, Family

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SHORT = [40, 41, 42, 43, 44, 45, 46]
LONG = [(7 * i * i + 3 * i) % (VOCABULARY - 8) + 4 for i in range(150)]  # longer than one prefill chunk
BASE = -1


def _answers(engine: Any, family: Family, wanted: list[tuple[int, list[int]]]) -> list[tuple[list[int], list[float]]]:
    """Greedy token ids and their logprobs; every pair is (adapter's number or BASE, prompt), all in one batch."""
    from vllm import SamplingParams
    from vllm.lora.request import LoRARequest

    requests = [None if n == BASE else LoRARequest(f"a{n}", n + 1, str(family.adapters[n])) for n, _ in wanted]
    outputs = engine.generate(
        [{"prompt_token_ids": prompt} for _, prompt in wanted],
        SamplingParams(temperature=0, max_tokens=TOKENS, ignore_eos=True, logprobs=0),
        lora_request=requests,
        use_tqdm=False,
    )
    completions = [output.outputs[0] for output in outputs]
    return [
        (list(c.token_ids), [step[token].logprob for token, step in zip(c.token_ids, c.logprobs, strict=True)])
        for c in completions
    ]


@torch.no_grad()
def _reference(base: Path, adapter: Path | None, prompt: list[int]) -> tuple[list[int], list[float]]:
    """The same by transformers (+ PEFT) in float32, the whole sequence anew for every token."""
    model: Any = Qwen3ForCausalLM.from_pretrained(base, dtype=torch.float32)
    if adapter is not None:
        model = PeftModel.from_pretrained(model, adapter)
    model.eval()
    ids, logprobs = list(prompt), []
    for _ in range(TOKENS):
        last = torch.log_softmax(model(torch.tensor([ids])).logits[0, -1].float(), dim=-1)
        ids.append(int(last.argmax()))
        logprobs.append(float(last.max()))
    return ids[len(prompt) :], logprobs


def _same(got: tuple[list[int], list[float]], wanted: tuple[list[int], list[float]]) -> None:
    assert got[0] == wanted[0]
    assert got[1] == pytest.approx(wanted[1], abs=2e-3)


@pytest.mark.parametrize("prompt", [SHORT, LONG], ids=["short", "chunked"])
def test_eight_adapters_and_the_base_in_one_batch_agree_with_peft(
    engine: Any, family: Family, prompt: list[int]
) -> None:
    numbers = [*range(ADAPTERS), BASE]
    got = _answers(engine, family, [(n, prompt) for n in numbers])
    wanted = [_reference(family.base, None if n == BASE else family.adapters[n], prompt) for n in numbers]
    for one, other in zip(got, wanted, strict=True):
        _same(one, other)
    distinct = {tuple(round(logprob, 2) for logprob in logprobs) for _, logprobs in wanted}
    assert len(distinct) == len(numbers), "adapters that answer alike prove nothing"


def test_nobody_is_altered_by_neighbours(engine: Any, family: Family) -> None:
    crowd = [(n, prompt) for n in (BASE, 3, 0, BASE, 7, 3, BASE, 5) for prompt in (SHORT, LONG, SHORT[:3])]
    together = _answers(engine, family, crowd)
    for case in {(n, tuple(prompt)) for n, prompt in crowd}:
        (alone,) = _answers(engine, family, [(case[0], list(case[1]))])
        for other, answer in zip(crowd, together, strict=True):
            if (other[0], tuple(other[1])) == case:
                _same(answer, alone)


def test_a_slot_taken_over_by_another_adapter_forgets_the_first(engine: Any, family: Family) -> None:
    before = _answers(engine, family, [(0, SHORT), (7, SHORT)])
    engine.llm_engine.remove_lora(1)
    engine.llm_engine.remove_lora(8)
    after = _answers(engine, family, [(7, SHORT), (0, SHORT), (BASE, SHORT)])
    _same(after[0], before[1])
    _same(after[1], before[0])
    _same(after[2], _reference(family.base, None, SHORT))

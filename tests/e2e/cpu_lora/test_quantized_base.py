"""INT8 and INT4 bases start with LoRA on this CPU and answer as their dequantized weights do in transformers + PEFT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import Qwen3ForCausalLM

from tests.e2e.cpu_lora.conftest import Family
from tests.e2e.cpu_lora.quantized import dequantized, write_quantized
from tests.support.engines import small_engine

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PROMPT = [40, 41, 42, 43, 44, 45, 46]
TOKENS = 8
# Log-probabilities: the engine computes in bfloat16; INT8 rounds every token's activations too.
CLOSE = {"int8": 0.3, "int4": 0.15}

Answer = tuple[list[int], list[float]]


@torch.no_grad()
def _logprobs(family: Family, tensors: dict[str, torch.Tensor] | None, adapter: Path | None, answer: Answer) -> Any:
    """(tokens, vocabulary) log-probabilities of the steps at which the engine gave its answer."""
    model: Any = Qwen3ForCausalLM.from_pretrained(family.base, dtype=torch.float32)
    if tensors is not None:
        model.load_state_dict(tensors, strict=False)
    if adapter is not None:
        model = PeftModel.from_pretrained(model, adapter)
    logits = model.eval()(torch.tensor([PROMPT + answer[0]])).logits[0, len(PROMPT) - 1 : -1]
    return torch.log_softmax(logits.float(), dim=-1)


@pytest.mark.parametrize("method", ["int8", "int4"])  # GPTQ is stored as INT4 is
def test_starts_and_answers(family: Family, tmp_path: Path, method: str) -> None:
    from vllm import SamplingParams
    from vllm.lora.request import LoRARequest

    folder = write_quantized(family.base, tmp_path / method, method)
    sampling = SamplingParams(temperature=0, max_tokens=TOKENS, ignore_eos=True, logprobs=0)
    adapter = LoRARequest("a0", 1, str(family.adapters[0]))

    def answers(llm: Any, *requests: LoRARequest | None) -> list[Answer]:
        prompts = [{"prompt_token_ids": PROMPT} for _ in requests]
        outputs = llm.generate(prompts, sampling, lora_request=list(requests), use_tqdm=False)
        found = [output.outputs[0] for output in outputs]
        return [
            (
                list(one.token_ids),
                [step[token].logprob for token, step in zip(one.token_ids, one.logprobs, strict=True)],
            )
            for one in found
        ]

    with small_engine(folder, dtype="bfloat16", max_loras=2, max_model_len=128, max_num_batched_tokens=128) as llm:
        base_beside, adapted_beside = answers(llm, None, adapter)
        assert [base_beside[0]] == [answer[0] for answer in answers(llm, None)]
        assert [adapted_beside[0]] == [answer[0] for answer in answers(llm, adapter)]
        assert base_beside[0] != adapted_beside[0]
    tensors = dequantized(family.base, folder, method)
    for answer, path in ((base_beside, None), (adapted_beside, family.adapters[0])):
        wanted = _logprobs(family, tensors, path, answer)
        chosen = wanted.gather(1, torch.tensor(answer[0])[:, None])[:, 0]
        assert (chosen - torch.tensor(answer[1])).abs().max() < CLOSE[method]
        assert (wanted.amax(1) - chosen).max() < CLOSE[method], "not the token that the dequantized weights choose"

"""An INT8 and an INT4 base start with LoRA on this CPU, and an adapter beside the base changes only its own answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.cpu_lora.conftest import Family
from tests.e2e.cpu_lora.quantized import write_quantized

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PROMPT = [40, 41, 42, 43, 44, 45, 46]


@pytest.mark.parametrize("scheme", ["W8A8", "W4A16"])
def test_starts_and_answers(family: Family, tmp_path: Path, scheme: str) -> None:
    from vllm import LLM, SamplingParams
    from vllm.lora.request import LoRARequest

    llm = LLM(
        str(write_quantized(family.base, tmp_path / scheme, scheme)),
        dtype="bfloat16",
        enable_lora=True,
        max_loras=2,
        max_lora_rank=16,
        max_model_len=128,
        max_num_batched_tokens=128,
    )
    sampling = SamplingParams(temperature=0, max_tokens=8, ignore_eos=True)
    adapter = LoRARequest("a0", 1, str(family.adapters[0]))

    def answers(*requests: LoRARequest | None) -> list[list[int]]:
        prompts = [{"prompt_token_ids": PROMPT} for _ in requests]
        outputs = llm.generate(prompts, sampling, lora_request=list(requests), use_tqdm=False)
        return [list(output.outputs[0].token_ids) for output in outputs]

    try:
        base_beside, adapted_beside = answers(None, adapter)
        assert [base_beside] == answers(None)
        assert [adapted_beside] == answers(adapter)
        assert base_beside != adapted_beside
    finally:
        llm.llm_engine.engine_core.shutdown()

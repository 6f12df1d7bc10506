"""What vLLM answers with a tiny Qwen3 and an r=16 adapter is what transformers and PEFT compute, alone or batched."""

import asyncio
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.support.live_server import LiveServer

# Below and above one and two blocks of the prefix cache (128 tokens; a token is a byte).
LENGTHS = (3, 30, 127, 128, 129, 300)
TOLERANCE = 2e-3


def prompt(length: int) -> str:
    return (f"{length} the quick brown fox " * 30)[:length]


def truth(base: Path, adapter: Path | None) -> dict[int, tuple[int, float]]:
    """The most likely next token of each prompt, and its log-probability."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    if adapter is not None:
        model = PeftModel.from_pretrained(model, adapter)
    found = {}
    for length in LENGTHS:
        ids = tokenizer(prompt(length), return_tensors="pt").input_ids
        with torch.no_grad():
            values = model(ids).logits[0, -1].log_softmax(-1)
        found[length] = (int(values.argmax()), float(values.max()))
    return found


@pytest.mark.parametrize("which", ["base", "first", "second"])
async def test_logprobs_agree(server: LiveServer, revisions: list[str], tiny_base: Path, which: str) -> None:
    index = {"base": None, "first": 0, "second": 1}[which]
    adapter = None if index is None else server.root / "cni" / revisions[index]
    name = "tiny-base" if index is None else f"cni@{revisions[index]}"
    expected = truth(tiny_base, adapter)
    others = ["tiny-base", *(f"cni@{revision}" for revision in revisions)]
    async with server.asynchronous() as client:

        async def ask(model: str, length: int) -> tuple[int, float]:
            body = {"model": model, "prompt": prompt(length), "max_tokens": 1, "temperature": 0, "logprobs": 1}
            answer = await client.post("/v1/completions", json={**body, "return_tokens_as_token_ids": True})
            logprobs = answer.json()["choices"][0]["logprobs"]
            return int(logprobs["tokens"][0].removeprefix("token_id:")), float(logprobs["token_logprobs"][0])

        for length in LENGTHS:
            alone = await ask(name, length)
            # The same among requests of other models: rows of one batch must not meet.
            mixed = await asyncio.gather(*(ask(model, length) for model in (name, *others, name)))
            for token, value in (alone, mixed[0], mixed[-1]):
                assert token == expected[length][0], (length, value, expected[length])
                assert abs(value - expected[length][1]) < TOLERANCE, (length, value, expected[length])

"""transformers + PEFT: `python -m benchmarks.rivals.workers.peft BASE ADAPTER bfloat16 2 8231` (threads, port)."""

import sys
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from benchmarks.rivals.workers.http import in_batches, serve


def main(base: str, adapter: str, dtype: str, threads: str, port: str) -> None:
    """Load, then answer until ended. Prompts that wait together are of one length, so a batch needs no padding."""
    torch.set_num_threads(int(threads))
    loaded: Any = AutoModelForCausalLM.from_pretrained(base, dtype=getattr(torch, dtype))
    model: Any = PeftModel.from_pretrained(loaded, adapter, autocast_adapter_dtype=False).eval()

    @torch.inference_mode()
    def answer(prompts: list[list[int]], tokens: int) -> list[list[int]]:
        ids = torch.tensor(prompts)
        out = model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            min_new_tokens=tokens,
            max_new_tokens=tokens,
            pad_token_id=0,
        )
        made: list[list[int]] = out[:, ids.shape[1] :].tolist()
        return made

    serve(int(port), in_batches(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])

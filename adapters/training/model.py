"""The base with a LoRA adapter on it, and the two things training does with it."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from adapters.errors import RecipeError
from adapters.training.dataset import Example
from adapters.training.recipe import Lora

IGNORE = -100  # cross_entropy's own mark for "no loss here"


def device() -> torch.device:
    """The GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def with_adapter(base: Path, lora: Lora, start_from: Path | None = None) -> Any:
    """The base in bfloat16 with a fresh float32 LoRA adapter, B zero: at first it changes nothing;
    or with the weights of the revision in `start_from`.

    Eager attention: at 300 tokens on a CPU it trains 1.3 times faster than the fused kernel (docs/lab-notes.md).
    """
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16, attn_implementation="eager")
    config = LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets),
        task_type="CAUSAL_LM",
    )
    adapted = get_peft_model(model, config)
    if start_from is not None:
        _take_weights(adapted, start_from)
    return adapted.to(device())


def _take_weights(model: Any, revision: Path) -> None:
    """Begin where another revision ended. Raises RecipeError when it is of another shape."""
    from peft import load_peft_weights, set_peft_model_state_dict

    try:
        outcome = set_peft_model_state_dict(model, load_peft_weights(str(revision), device="cpu"))
    except RuntimeError as error:
        raise RecipeError(
            f"The revision {revision.name} to start from has another shape than the recipe's lora."
        ) from error
    if outcome.unexpected_keys:
        raise RecipeError(f"The revision {revision.name} to start from has modules that the recipe's lora has not.")


def collate(examples: Sequence[Example], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens and targets, both (batch, longest), int64. Padded on the right: under a causal mask it needs no mask."""
    longest = max(len(example.tokens) for example in examples)
    tokens = torch.full((len(examples), longest), pad)
    targets = torch.full((len(examples), longest), IGNORE)
    for row, example in enumerate(examples):
        sequence = torch.tensor(example.tokens)
        tokens[row, : len(sequence)] = sequence
        targets[row, example.answer_start - 1 : len(sequence) - 1] = sequence[example.answer_start :]
    return tokens, targets


def answer_logits(model: Any, tokens: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (answer tokens, vocabulary) and their targets (answer tokens,).

    Only the answer's positions go through the vocabulary's product, which is a fifth of the model otherwise.
    """
    causal = model.base_model.model
    where = torch.device(next(model.parameters()).device)
    tokens, targets = tokens.to(where), targets.to(where)
    autocast = torch.autocast(where.type, torch.bfloat16)
    with autocast if where.type in {"cpu", "cuda"} else contextlib.nullcontext():
        hidden = causal.model(input_ids=tokens, use_cache=False).last_hidden_state
        chosen = targets != IGNORE
        return causal.lm_head(hidden[chosen]).float(), targets[chosen]


def loss_of(model: Any, tokens: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean cross entropy over the batch's answer tokens."""
    logits, wanted = answer_logits(model, tokens, targets)
    return functional.cross_entropy(logits, wanted)


@torch.no_grad()
def judge(model: Any, examples: Sequence[Example], pad: int, batch: int) -> tuple[float, float]:
    """(mean loss, share of answers right in every token).

    An answer that is right at every token under the right prefix is right when it is decoded greedily.
    """
    model.eval()
    total, right, count = 0.0, 0, 0
    for start in range(0, len(examples), batch):
        chunk = examples[start : start + batch]
        logits, wanted = answer_logits(model, *collate(chunk, pad))
        total += float(functional.cross_entropy(logits, wanted, reduction="sum"))
        hits = (logits.argmax(-1) == wanted).tolist()
        count += len(hits)
        at = 0
        for example in chunk:
            length = len(example.tokens) - example.answer_start
            right += all(hits[at : at + length])
            at += length
    model.train()
    return total / count, right / len(examples)

"""The base with a LoRA adapter on it, and what goes in and comes out of it in training."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch.nn import functional

from adapters.errors import RecipeError
from adapters.training.base_precision import BF16, Form, device, load_base
from adapters.training.dataset import Example
from adapters.training.recipe import Lora

IGNORE = -100  # cross_entropy's own mark for "no loss here"


def with_adapter(
    base: Path, lora: Lora, start_from: Path | None = None, form: Form = BF16, checkpointing: bool = False
) -> Any:
    """The base in `form` with a fresh float32 LoRA adapter, B zero: at first it changes nothing;
    or with the weights of the revision in `start_from`. With `checkpointing` layers are computed twice, not kept.
    """
    from peft import LoraConfig, get_peft_model

    model = load_base(base, form)
    if checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    config = LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets),
        task_type="CAUSAL_LM",
    )
    try:
        adapted = get_peft_model(model, config)
    except ValueError as error:
        raise RecipeError(
            f"The base {base.name} does not take lora.targets {', '.join(lora.targets)}: name its own linear layers."
        ) from error
    if start_from is not None:
        _take_weights(adapted, start_from)
    return adapted if form.name == "nf4" else adapted.to(device())


def _take_weights(model: Any, revision: Path) -> None:
    """Begin where another revision ended. Raises RecipeError when it is of another shape."""
    from peft import load_peft_weights, set_peft_model_state_dict

    try:
        outcome = set_peft_model_state_dict(model, load_peft_weights(str(revision), device="cpu"))
    except RuntimeError as error:
        raise RecipeError(
            f"The revision {revision.name} to start from has another shape than the recipe's lora."
        ) from error
    except (OSError, ValueError, SafetensorError) as error:
        raise RecipeError(
            f"The revision {revision.name} to start from cannot be read ({type(error).__name__}): name another one."
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

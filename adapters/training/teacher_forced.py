"""How good a model is on validation samples, teacher-forced: one pass over prompt and true answer, no decoding."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from adapters.training.dataset import Example
from adapters.training.model import answer_logits, collate


@torch.no_grad()
def judge(model: Any, examples: Sequence[Example], pad: int, batch: int) -> dict[str, float]:
    """`loss` (mean, nats a token), `exact` (share of answers right in every token), `fields` (share of fields right).

    A field is right when each token that carries one of its characters, or the comma or bracket after it
    (`Example.fields`), is the likeliest one after the prompt and the true tokens before it. An exact answer is also
    what greedy decoding gives; a field can be right here that greedy decoding, after a mistake, gets wrong.
    """
    was_training = model.training
    model.eval()
    total, tokens, right, fields, fields_right = 0.0, 0, 0, 0, 0
    for start in range(0, len(examples), batch):
        chunk = examples[start : start + batch]
        logits, wanted = answer_logits(model, *collate(chunk, pad))
        total += float(functional.cross_entropy(logits, wanted, reduction="sum"))
        hits = (logits.argmax(-1) == wanted).tolist()
        tokens += len(hits)
        at = 0
        for example in chunk:
            length = len(example.tokens) - example.answer_start
            answer = hits[at : at + length]
            right += all(answer)
            fields += len(example.fields)
            fields_right += sum(all(answer[first:last]) for first, last in example.fields)
            at += length
    model.train(was_training)
    return {"loss": total / tokens, "exact": right / len(examples), "fields": fields_right / max(1, fields)}

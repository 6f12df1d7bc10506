"""What `benchmarks.lora.drafts` asks: recorded cards as the front asks, or objects of a base without training."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.registry.manifest import PromptContract
from adapters.training.contract import render
from benchmarks.harness import line_answers
from ocr_frontend.documents.registry import builtin

Body = dict[str, Any]


def by_contract(card: Mapping[str, Any], model: str, contract: PromptContract) -> Body:
    """An adapter's own prompt, held to its own form: line numbers, or its schema's object in compact JSON."""
    document = contract.documents[card["document"]]
    prompt = render(contract, card["document"], card["lines"])
    if contract.answer == "object":
        return _request(model, prompt, {"json": document.schema_})
    form = line_answers.form([3] * len(document.fields), len(card["lines"]))
    return _request(model, prompt, {"regex": form})


def by_base(card: Mapping[str, Any], known: float, seed: int) -> Body:
    """An object whose values are lines of the prompt; a share of them, `known`, is given by the grammar."""
    lines, targets = card["lines"], card["targets"]
    fields = [field.key for field in builtin().readable[card["document"]].fields]
    prompt = f"<|im_start|>user\nOne JSON object with these keys: {', '.join(fields)}\n" + "\n".join(lines)
    prompt += "<|im_end|>\n<|im_start|>assistant\n"
    luck, free = random.Random(f"{seed}/{prompt}"), _values(lines)
    values = [_values([_truth(target, lines)]) if luck.random() < known else free for target in targets]
    members = (f'"{field}": (?:{value})' for field, value in zip(fields, values, strict=True))
    return _request("base", prompt, {"regex": r"\{" + ", ".join(members) + r"\}"})


def _truth(target: object, lines: Sequence[str]) -> str | None:
    if isinstance(target, int):
        return lines[target]
    if isinstance(target, list):
        return " ".join(lines[number] for number in target)
    return None if target is None else str(target)


def _values(values: Sequence[str | None]) -> str:
    return "|".join(re.escape(json.dumps(value, ensure_ascii=False)) for value in dict.fromkeys(values))


def _request(model: str, prompt: str, form: Mapping[str, Any]) -> Body:
    sampling = {"temperature": 0, "max_tokens": 512, "logprobs": 0}
    return {"model": model, "prompt": prompt, "structured_outputs": dict(form), **sampling}

"""Who answers a prompt: a revision on this machine, or the model server. The whole path is in `front`."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx

from adapters.errors import EvaluationError
from adapters.evaluation.patience import patiently_here
from adapters.registry.manifest import PromptContract
from adapters.training.targets import Target

_MOST_TOKENS = 160  # of an answer: four written values
_SECONDS = 300
Ask = Callable[[str], str]


def on_this_machine(base: Path, revision: Path) -> tuple[Ask, PromptContract]:
    """The revision in a folder, greedy, without a server or a grammar. Raises AdaptersError."""
    import torch
    from transformers import AutoTokenizer

    from adapters.quantize.scores import contract_of, on_base

    contract = contract_of(revision, base)
    model, tokenizer = on_base(base, revision), AutoTokenizer.from_pretrained(base)
    # Training's own attention sees whole sequences alone; an answer goes on from a cache.
    model.get_base_model().set_attn_implementation("sdpa")

    @torch.no_grad()
    def ask(prompt: str) -> str:
        tokens = tokenizer(prompt, add_special_tokens=False, return_tensors="pt")
        with torch.autocast(model.device.type, torch.bfloat16):
            out = model.generate(**tokens.to(model.device), max_new_tokens=_MOST_TOKENS, do_sample=False,
                                 pad_token_id=tokenizer.eos_token_id)  # fmt: skip
        return str(tokenizer.decode(out[0, tokens["input_ids"].shape[1] :], skip_special_tokens=True))

    return ask, contract


def of_server(url: str, model: str, key: str = "") -> tuple[Ask, PromptContract, str]:
    """A server's adapter over `/v1/completions`, without a grammar; its contract, and its exact revision."""
    client = httpx.Client(base_url=url, timeout=_SECONDS, headers={"Authorization": f"Bearer {key}"} if key else {})
    cards = _sent(lambda: client.get("/v1/models")).get("data", [])
    card = next((card for card in cards if card["id"] == model), None)
    if card is None or not card.get("prompt"):
        raise EvaluationError(f"The server at {url} serves no adapter {model} with a contract.")

    def ask(prompt: str) -> str:
        body = {"model": model, "prompt": prompt, "max_tokens": _MOST_TOKENS, "temperature": 0}
        return str(_sent(lambda: client.post("/v1/completions", json=body))["choices"][0]["text"])

    return ask, PromptContract.model_validate(card["prompt"]), str(card.get("root") or model)


def read_answer(text: str, contract: PromptContract, document: str, lines: int) -> Sequence[Target] | None:
    """An answer of line numbers as targets in the order of the fields; values of an object as written ones.

    None where it is neither: not JSON, another number of elements, or a line that is not there.
    """
    keys = contract.documents[document].fields
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if contract.answer == "object":
        if not isinstance(answer, dict):
            return None
        return [None if answer.get(key) is None else str(answer[key]) for key in keys]
    if not isinstance(answer, list) or len(answer) != len(keys):
        return None
    targets = [_target(element, lines) for element in answer]
    return None if any(target is False for target in targets) else targets


def _target(element: Any, lines: int) -> Target | bool:
    """False for what is no answer."""
    if element is None or isinstance(element, str):
        return element
    numbers = element if isinstance(element, list) else [element]
    if not numbers or not all(type(number) is int and 0 <= number < lines for number in numbers):
        return False
    return tuple(numbers) if isinstance(element, list) else numbers[0]


def _sent(call: Callable[[], httpx.Response]) -> dict[str, Any]:
    try:
        reply = patiently_here(call)
        reply.raise_for_status()
        return dict(reply.json())
    except (httpx.HTTPError, ValueError) as error:
        raise EvaluationError(f"The model server does not answer as it should ({type(error).__name__}).") from error

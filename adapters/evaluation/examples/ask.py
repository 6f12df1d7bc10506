"""Who answers: a revision on this machine, the model server, or the whole path through the front."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from adapters.errors import EvaluationError
from adapters.registry.manifest import PromptContract
from adapters.training.targets import Target

_MOST_TOKENS = 160  # of an answer: four written values
_SECONDS = 300
Ask = Callable[[str], str]


@dataclass(frozen=True)
class Picture:
    """What the front said of one picture. `values` is empty where it refused it; `lines` are those that it read,
    `evidence` is what its confidence in each field rests on.
    """

    values: dict[str, str | None]
    lines: tuple[str, ...]
    model: str
    seconds: float
    refused: bool = False
    evidence: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


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


def through_front(url: str, document: str, model: str, picture: Path, key: str = "") -> Picture:
    """One picture through the front. Raises EvaluationError where the front is away, or the mistake is ours."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    files = {"image": (picture.name, picture.read_bytes(), "application/octet-stream")}
    form, began = {"document": document, "model": model}, time.perf_counter()
    try:
        reply = httpx.post(f"{url}/v1/extract", files=files, data=form, timeout=_SECONDS, headers=headers)
        body = reply.json()
    except (httpx.HTTPError, ValueError) as error:
        raise EvaluationError(f"The OCR front at {url} does not answer ({type(error).__name__}).") from error
    seconds = time.perf_counter() - began
    code = str(body.get("error", {}).get("code", "")) if "error" in body else ""
    if not code:
        values = {key: None if value is None else str(value) for key, value in body["data"].items()}
        lines = tuple(line["text"] for line in body["ocr"]["lines"])
        told = {key: each["evidence"] for key, each in body.get("fields", {}).items() if each.get("evidence")}
        return Picture(values, lines, str(body["model"]), seconds, evidence=told)
    if code == "invalid_answer" or (reply.status_code == httpx.codes.UNPROCESSABLE_ENTITY and "unknown" not in code):
        return Picture({}, (), model, seconds, refused=True)
    raise EvaluationError(f"The OCR front refused {picture.name} with {reply.status_code} {code}.")


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
        reply = call()
        reply.raise_for_status()
        return dict(reply.json())
    except (httpx.HTTPError, ValueError) as error:
        raise EvaluationError(f"The model server does not answer as it should ({type(error).__name__}).") from error

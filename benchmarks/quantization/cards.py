"""Held-out cards for `quant_table`: their OCR lines, read once and kept; the questions; which answers are right.

A field is right when the answer names what the card's truth names among the OCR's lines, so that the OCR's own
mistakes count for no one. Asked without the front's grammar, which makes it a little harsher than the whole path.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.data.cards import PLAIN, write_cards
from adapters.data.record_ocr import join
from adapters.evaluation.kept_scores import SEED
from adapters.registry.manifest import PromptContract, read_manifest
from adapters.training.contract import render
from adapters.training.dataset import Labelled, labelled
from adapters.training.targets import Target

_FRONT = Path(".venv-front/bin/python")


@dataclass(frozen=True)
class Question:
    """A card as the model gets it: `tokens` of the prompt; the rest says what is right."""

    card: Labelled
    tokens: list[int]


def held_out(folder: Path, count: int) -> list[Labelled]:
    """The first `count` held-out cards of the evaluation. Drawn and read by the OCR at the first call, then kept."""
    if not (folder / "lines.jsonl").exists():
        write_cards(folder, count, seed=SEED, split="test", conditions=PLAIN)
        python = str(_FRONT) if _FRONT.exists() else sys.executable
        scratch = folder / "lines.part"
        subprocess.run([python, "-m", "ocr_frontend", "lines", str(folder), "--out", str(scratch)], check=True)
        scratch.rename(folder / "lines.jsonl")
    return [labelled(sample) for sample in join(folder / "cards.jsonl", folder / "lines.jsonl")]


def contract_of(adapter: Path) -> PromptContract:
    """How the adapter wants to be asked. Raises ValueError when it does not say."""
    manifest = read_manifest(adapter)
    if manifest is None or manifest.prompt is None:
        raise ValueError(f"{adapter} has no manifest with a prompt: name an adapter of the registry with --adapter")
    return manifest.prompt


def questions(cards: Sequence[Labelled], prompts: PromptContract, tokenizer: Any) -> list[Question]:
    """The prompts as tokens, of the cards whose document the adapter reads."""
    return [
        Question(card, tokenizer.encode(render(prompts, card.document, card.lines), add_special_tokens=False))
        for card in cards
        if card.document in prompts.documents
    ]


def right_fields(card: Labelled, text: str) -> list[bool]:
    """For each field of the card whether the answer `text` has it right; all wrong when it cannot be read."""
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, list) or len(answer) != len(card.targets):
        return [False] * len(card.targets)
    return [_said(one, card.lines) == _said(other, card.lines) for one, other in zip(answer, card.targets, strict=True)]


def _said(element: Target | list[int], lines: Sequence[str]) -> str | None:
    """What an element of an answer stands for; something that no target stands for where it makes no sense."""
    if element is None or isinstance(element, str):
        return element
    indexes = list(element) if isinstance(element, list | tuple) else [element]
    if not indexes or not all(isinstance(index, int) and 0 <= index < len(lines) for index in indexes):
        return "\0"
    return " ".join(lines[index] for index in indexes)

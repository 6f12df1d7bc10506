"""Token sequences out of samples: prompt and answer, with the loss on the answer alone."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Protocol

from adapters.data.documents import DOCUMENTS, DocumentName
from adapters.data.samples import Sample, text_sample
from adapters.data.vocabulary import Split
from adapters.registry.manifest import PromptContract
from adapters.training.contract import Target, answer, render, visible
from adapters.training.recipe import Data


class Tokenizer(Protocol):
    """What is needed of a transformers tokenizer."""

    eos_token_id: int

    def encode(self, text: str, add_special_tokens: bool = ...) -> list[int]: ...


@dataclass(frozen=True)
class Example:
    """One sequence: `tokens` is prompt + answer + end of text; the answer begins at `answer_start`."""

    tokens: tuple[int, ...]
    answer_start: int


@dataclass(frozen=True)
class Labelled:
    """A sample reduced to what training needs: a document, its lines' texts, one target a field."""

    document: DocumentName
    lines: tuple[str, ...]
    targets: tuple[Target, ...]


def labelled(sample: Sample) -> Labelled:
    """Drop blank lines, as the front does, and number the rest anew."""
    texts = [visible(line.text) for line in sample.lines]
    number = {old: new for new, old in enumerate(index for index, text in enumerate(texts) if text)}
    kept = tuple(text for text in texts if text)
    document = sample.record.document
    targets = (sample.targets[field.key] for field in DOCUMENTS[document])
    return Labelled(document, kept, tuple(_renumbered(target, number, kept) for target in targets))


def _renumbered(target: int | str | None, number: Mapping[int, int], lines: Sequence[str]) -> Target:
    """A line's new number; two lines that together are the value instead of its letters, which could be misspelt."""
    if isinstance(target, int):
        return number.get(target)
    if target is None:
        return None
    for first, second in permutations(range(len(lines)), 2):
        if f"{lines[first]} {lines[second]}" == target:
            return first, second
    return target


def modelled(data: Data, split: Split, count: int, seed: int) -> Iterator[Labelled]:
    """`count` text-only samples, the documents in turn. Sample i depends on (seed, split, i) alone."""
    for index in range(count):
        rng = random.Random(f"{seed}/{split}/{index}")
        document = data.documents[index % len(data.documents)]
        yield labelled(text_sample(rng, document, split))


def encode(sample: Labelled, prompts: PromptContract, tokenizer: Tokenizer) -> Example:
    """The sequence that the model learns, its end of text included."""
    prompt = tokenizer.encode(render(prompts, sample.document, sample.lines), add_special_tokens=False)
    reply = tokenizer.encode(answer(sample.targets), add_special_tokens=False)
    return Example((*prompt, *reply, tokenizer.eos_token_id), len(prompt))


def batches(examples: Sequence[Example], size: int, seed: int) -> list[tuple[int, ...]]:
    """Shuffled batches of indices, of like lengths: padding is wasted work on a CPU."""
    rng = random.Random(seed)
    order = list(range(len(examples)))
    rng.shuffle(order)
    window = size * 25
    result: list[tuple[int, ...]] = []
    for start in range(0, len(order), window):
        near = sorted(order[start : start + window], key=lambda index: len(examples[index].tokens))
        result += [tuple(near[at : at + size]) for at in range(0, len(near), size)]
    rng.shuffle(result)
    return result

"""Token sequences out of samples: prompt and answer, with the loss on the answer alone."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from typing import Any, Literal, Protocol

from adapters.data.documents import DOCUMENTS, DocumentName
from adapters.data.hard.lines import hard_text_sample
from adapters.data.samples import Sample, text_sample
from adapters.data.vocabulary import Split
from adapters.registry.manifest import PromptContract
from adapters.training.contract import joined, pieces, render, spans, visible
from adapters.training.recipe_data import Data
from adapters.training.targets import Target
from ocr_frontend.documents.spec import DocumentSpec


class Tokenizer(Protocol):
    """What is needed of a transformers tokenizer."""

    eos_token_id: int

    def __call__(
        self, text: str, *, add_special_tokens: bool, return_offsets_mapping: bool
    ) -> Mapping[str, Sequence[Any]]: ...


@dataclass(frozen=True)
class Example:
    """One sequence: `tokens` is prompt + answer + end of text; the answer begins at `answer_start`.

    `fields` has for each field the half-open range of the answer's tokens that carry one of its characters or the comma
    or bracket after it; the first also begins the array, the last also ends the text.
    """

    tokens: tuple[int, ...]
    answer_start: int
    fields: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Labelled:
    """A sample reduced to what training needs: a document, its lines' texts, one target a field."""

    document: str
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
    """A line's new number; two or three lines that together are the value instead of its letters."""
    if isinstance(target, int):
        return number.get(target)
    if target is None:
        return None
    parts = [index for index, line in enumerate(lines) if line in target]
    for count in (2, 3):  # as many as the front's grammar lets an answer join
        for chosen in permutations(parts, count):
            if " ".join(lines[index] for index in chosen) == target:
                return chosen
    return target


Kind = Literal["plain", "hard", "varied"]
_MAKERS: Mapping[Kind, Callable[[random.Random, DocumentName, Split], Sample]] = {
    "plain": text_sample,
    "hard": hard_text_sample,
    "varied": partial(hard_text_sample, varied=True),
}


def modelled(data: Data, split: Split, count: int, seed: int, kind: Kind = "plain") -> Iterator[Labelled]:
    """`count` text-only samples, the documents in turn. Sample i depends on (seed, split, i, kind) alone."""
    for index in range(count):
        rng = random.Random(f"{seed}/{split}/{index}" + ("" if kind == "plain" else f"/{kind}"))
        yield labelled(_MAKERS[kind](rng, data.documents[index % len(data.documents)], split))


def encode(sample: Labelled, prompts: PromptContract, tokenizer: Tokenizer, own: DocumentSpec | None = None) -> Example:
    """The sequence that the model learns, its end of text included. `own`: where the document is no built-in one."""
    prompt = tokenizer(
        render(prompts, sample.document, sample.lines), add_special_tokens=False, return_offsets_mapping=False
    )["input_ids"]
    parts = pieces(prompts.answer, sample.document, sample.lines, sample.targets, own)
    reply = tokenizer(joined(prompts.answer, parts), add_special_tokens=False, return_offsets_mapping=True)
    tokens = (*prompt, *reply["input_ids"], tokenizer.eos_token_id)
    return Example(tokens, len(prompt), _token_ranges(parts, reply["offset_mapping"]))


def _token_ranges(parts: Sequence[str], offsets: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Character ranges of the fields as ranges of tokens; a token that two fields share counts in both."""
    ranges = []
    for begin, end in spans(parts):
        touched = [at for at, (first, last) in enumerate(offsets) if first < end and last > begin]
        ranges.append([touched[0], touched[-1] + 1])
    ranges[0][0] = 0
    ranges[-1][1] = len(offsets) + 1
    return tuple((first, last) for first, last in ranges)


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

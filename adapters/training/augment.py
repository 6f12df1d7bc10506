"""Recorded samples made harder: what real OCR does to a card now and then, done more often than it happens.

A small model learns to point at a line soon, and only later that there may be none, or two. So values are taken away,
broken over two lines, or glued to the label above them, each with a probability of its own. And on some cards the lines
that are nobody's value (labels, titles) are read as on a bad photograph.
"""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from adapters.data.documents import DOCUMENTS, DocumentName
from adapters.data.simulated_ocr.misreadings import wrecked
from adapters.training.dataset import Labelled
from adapters.training.recipe_data import Hardness
from adapters.training.targets import Target
from ocr_frontend.documents.spec import DocumentSpec


@dataclass(eq=False)
class _Line:
    """A line that keeps its identity while its neighbours come and go."""

    text: str


_Kept = list[_Line] | str | None


def harder(sample: Labelled, hardness: Hardness, rng: random.Random, own: DocumentSpec | None = None) -> Labelled:
    """The sample with some of its values hidden, split or glued; lines that hold two values stay as they are.

    own: the sample's document, where it is no built-in one.
    """
    lines = [_Line(text) for text in sample.lines]
    targets = [_kept(target, lines) for target in sample.targets]
    uses = Counter(id(line) for target in targets if isinstance(target, list) for line in target)
    free = _free(sample.document) if own is None else [field.type.free for field in own.fields]
    for number, target in enumerate(list(targets)):
        if not isinstance(target, list) or any(uses[id(line)] > 1 for line in target):
            continue
        luck = rng.random()
        if luck < hardness.hide:
            for line in target:
                lines.remove(line)
            targets[number] = None
        elif luck < hardness.hide + hardness.split and free[number] and len(target) == 1:
            targets[number] = _split(target[0], lines, uses, rng)
        elif luck < hardness.hide + hardness.split + hardness.glue and len(target) == 1:
            targets[number] = _glue(target[0], lines, uses, free[number])
    if rng.random() < hardness.wreck:
        _wreck([line for line in lines if not uses[id(line)]], targets, rng)
    place = {id(line): index for index, line in enumerate(lines)}
    return Labelled(sample.document, tuple(line.text for line in lines), tuple(_target(t, place) for t in targets))


def _free(document: str) -> list[bool]:
    """Of each field of a built-in document, whether it is free text."""
    return [field.type == "text" for field in DOCUMENTS[cast(DocumentName, document)]]


def _wreck(lines: list[_Line], targets: list[_Kept], rng: random.Random) -> None:
    """Damage the given lines, but for those that a written-out value stands in."""
    written = [target for target in targets if isinstance(target, str)]
    share = rng.uniform(0.3, 1.0)
    for line in lines:
        if rng.random() < share and not any(value in line.text for value in written):
            line.text = wrecked(rng, line.text)


def _split(line: _Line, lines: list[_Line], uses: Counter[int], rng: random.Random) -> _Kept:
    """Break a line of several words in two, one above the other."""
    words = line.text.split(" ")
    if len(words) < 2:
        return [line]
    at = rng.randrange(1, len(words))
    rest = _Line(" ".join(words[at:]))
    line.text = " ".join(words[:at])
    lines.insert(lines.index(line) + 1, rest)
    uses[id(rest)] = 1
    return [line, rest]


def _glue(line: _Line, lines: list[_Line], uses: Counter[int], text: bool) -> _Kept:
    """Join a line to the one above it, if that is nobody's value. A text value then has to be written out."""
    at = lines.index(line)
    if at == 0 or uses[id(lines[at - 1])]:
        return [line]
    value = line.text
    line.text = f"{lines[at - 1].text} {value}"
    lines.pop(at - 1)
    return value if text else [line]


def _kept(target: Target, lines: list[_Line]) -> _Kept:
    if isinstance(target, int):
        return [lines[target]]
    return [lines[index] for index in target] if isinstance(target, tuple) else target


def _target(kept: _Kept, place: dict[int, int]) -> Target:
    if not isinstance(kept, list):
        return kept
    indices: Iterable[int] = (place[id(line)] for line in kept)
    return place[id(kept[0])] if len(kept) == 1 else tuple(indices)

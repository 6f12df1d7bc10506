"""Samples recorded from real OCR (`python -m adapters record`), and the same with values taken away."""

import gzip
import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from adapters.data.documents import DOCUMENTS, DocumentName
from adapters.errors import DataError
from adapters.training.contract import Target
from adapters.training.dataset import Labelled


def recorded(path: Path, documents: Sequence[DocumentName]) -> Iterator[Labelled]:
    """Samples recorded from real OCR. Raises DataError that names the first broken line."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                entry = json.loads(line)
                sample = Labelled(entry["document"], tuple(entry["lines"]), _targets(entry["targets"]))
                if len(sample.targets) != len(DOCUMENTS[sample.document]):
                    raise ValueError("one target a field is needed")
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(
                    f"{path.name}, line {number}, is not a recorded sample ({error}): record it again."
                ) from error
            if sample.document in documents:
                yield sample


def with_hidden(sample: Labelled, share: float, rng: random.Random) -> Labelled:
    """The sample as if its card did not show some values: their lines go, their targets become null.

    A line that holds two values stays, and so do the labels.
    """
    uses = Counter(index for target in sample.targets for index in _indices(target))
    gone = {
        index
        for target in sample.targets
        if rng.random() < share and all(uses[index] == 1 for index in _indices(target))
        for index in _indices(target)
    }
    number = {old: new for new, old in enumerate(index for index in range(len(sample.lines)) if index not in gone)}
    targets: list[Target] = []
    for target in sample.targets:
        if gone.intersection(_indices(target)):
            targets.append(None)
        elif isinstance(target, tuple):
            targets.append(tuple(number[index] for index in target))
        else:
            targets.append(number[target] if isinstance(target, int) else target)
    return Labelled(sample.document, tuple(sample.lines[old] for old in number), tuple(targets))


def _indices(target: Target) -> tuple[int, ...]:
    """The lines that a target names."""
    return target if isinstance(target, tuple) else (target,) if isinstance(target, int) else ()


def _targets(entries: Sequence[int | list[int] | str | None]) -> tuple[Target, ...]:
    """JSON's lists are our tuples."""
    return tuple(tuple(entry) if isinstance(entry, list) else entry for entry in entries)

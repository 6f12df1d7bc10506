"""Samples recorded from real OCR (`python -m adapters record`)."""

import gzip
import json
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


def _targets(entries: Sequence[int | list[int] | str | None]) -> tuple[Target, ...]:
    """JSON's lists are our tuples."""
    return tuple(tuple(entry) if isinstance(entry, list) else entry for entry in entries)

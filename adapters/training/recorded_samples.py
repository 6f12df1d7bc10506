"""Samples recorded from real OCR (`python -m adapters record`)."""

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from adapters.data.documents import DOCUMENTS, DocumentName
from adapters.errors import DataError
from adapters.training.dataset import Labelled
from adapters.training.targets import Target


def recorded(path: Path, documents: Sequence[DocumentName]) -> Iterator[Labelled]:
    """Samples recorded from real OCR. Raises DataError that names the first broken line."""
    opener = gzip.open if path.suffix == ".gz" else open
    number = 0
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            for line in file:
                number += 1
                sample = _sample(json.loads(line))
                if sample.document in documents:
                    yield sample
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path.name} is broken after line {number}: record or fetch it again.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path.name}, line {number}, is not a recorded sample ({error}): record it again.") from error


def _sample(entry: dict[str, Any]) -> Labelled:
    """Raises ValueError, KeyError, TypeError for anything else."""
    sample = Labelled(entry["document"], tuple(entry["lines"]), _targets(entry["targets"]))
    if len(sample.targets) != len(DOCUMENTS[cast(DocumentName, sample.document)]):
        raise ValueError("one target a field is needed")
    if not all(isinstance(line, str) for line in sample.lines):
        raise ValueError("a line is not a text")
    pointed = [number for target in sample.targets if isinstance(target, int | tuple) for number in _numbers(target)]
    if not all(0 <= number < len(sample.lines) for number in pointed):
        raise ValueError("a target points at a line that is not there")
    return sample


def _numbers(target: int | tuple[int, ...]) -> tuple[int, ...]:
    return target if isinstance(target, tuple) else (target,)


def _targets(entries: Sequence[int | list[int] | str | None]) -> tuple[Target, ...]:
    """JSON's lists are our tuples."""
    return tuple(tuple(entry) if isinstance(entry, list) else entry for entry in entries)

"""JSON Lines files, as they are or gzipped."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adapters.errors import DataError


def rows(path: Path, made_by: str | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file with their line numbers, blank lines left out. made_by: the command that writes the file.

    Raises DataError that names the file, the line and, where it is known, that command.
    """
    way_out = f" Make it with {made_by}." if made_by else ""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            texts = file.read().split("\n")  # not `splitlines`: JSON allows U+2028 within a text
    except UnicodeDecodeError:
        raise DataError(f"{path.name} is not UTF-8 text.{way_out}") from None
    except (OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.{way_out}") from error
    for number, text in enumerate(texts, 1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise DataError(f"{path.name}, line {number}, is not a JSON object.{way_out}")
        yield number, row

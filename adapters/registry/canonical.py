"""Canonical JSON and file hashes: what every name in the registry is computed from. Reading is as strict as writing."""

import hashlib
import json
from pathlib import Path
from typing import Any

_CHUNK = 1 << 20
_DEEPEST = 64  # levels of lists and objects in one file


def canonical_json(value: Any) -> bytes:
    """`value` as sorted-key JSON without spaces, UTF-8. Raises ValueError for NaN and infinities."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def read_json(path: Path, most: int) -> Any:
    """The JSON in a plain file of at most `most` bytes. Raises OSError, and ValueError for what is not strict JSON."""
    if not path.is_file():
        # A pipe or a device by this name would never end.
        raise ValueError(f"{path.name} is not a plain file")
    size = path.stat().st_size
    if size > most:
        raise ValueError(f"{path.name} is {size} bytes, more than {most}")
    with path.open("rb") as file:
        return parse_json(file.read(most + 1), path.name)


def parse_json(content: bytes, name: str) -> Any:
    """Strict JSON: UTF-8, finite numbers, lone surrogates nowhere, at most 64 levels. Raises ValueError, no other."""
    try:
        # A parser of another JSON would not agree about these: what is named by its content must have one content.
        value = json.loads(content.decode("utf-8"), parse_constant=_constant, parse_float=_float)
        _check_depth(value)
        canonical_json(value)
    except RecursionError as error:
        raise ValueError(f"{name} is nested deeper than {_DEEPEST} levels") from error
    except (UnicodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{name} is not JSON") from error
    except ValueError as error:
        raise ValueError(f"{name}: {str(error)[:100]}") from error
    return value


def _constant(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


def _float(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise ValueError("a number is larger than a float can hold")
    return value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    raise RecursionError


def text_sha256(content: bytes) -> str:
    """sha256 of bytes at hand, 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def file_sha256(path: Path) -> str:
    """sha256 of a file's bytes, 64 hex digits, in constant memory. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()

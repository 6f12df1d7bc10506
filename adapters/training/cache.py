"""Prepared samples, kept by what they are made of: recipe's data, prompts, tokenizer, recorded files, our code."""

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from adapters import data
from adapters.data.given.sources import digest
from adapters.registry.atomic import write_file
from adapters.registry.canonical import canonical_json, file_sha256
from adapters.training.dataset import Example
from adapters.training.prompts import prompts_of
from adapters.training.recipe import Recipe

_KEPT = 8  # files; one is a few megabytes, and each version of our code makes others
_DIGEST = 32  # bytes of sha256 in front of the content
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
_OURS = ("contract.py", "dataset.py", "examples.py", "given.py", "augment.py", "mixing.py", "objects.py",
         "recorded_samples.py", "targets.py")  # fmt: skip


def key(recipe: Recipe, beside: Path, base: Path, given: Path) -> str:
    """64 hex digits of all that the samples depend on, the code that makes them included."""
    here = Path(__file__).parent
    drawn = Path(data.__path__[0])
    sources = [*sorted(drawn.rglob("*.py")), *sorted((drawn / "words").iterdir()), *(here / name for name in _OURS)]
    parts = {
        "data": recipe.data.model_dump(mode="json"),
        "seed": recipe.seed,
        "prompts": prompts_of(recipe).model_dump(mode="json"),
        "tokenizer": [file_sha256(base / name) for name in _TOKENIZER if (base / name).is_file()],
        "recorded": [file_sha256(beside / name) for name in recipe.data.recorded],
        "given": [digest(given / source.path) for source in (*recipe.data.examples, *recipe.data.held_out)],
        "code": [file_sha256(path) for path in sources],
    }
    return hashlib.sha256(canonical_json(parts)).hexdigest()


def read(path: Path) -> tuple[list[Example], list[Example]] | None:
    """(training, validation) of a kept file; None where there is none or not the one that was written."""
    try:
        content = path.read_bytes()
        if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
            return None
        arrays = load(content[_DIGEST:])
        return _unpacked(arrays, "training"), _unpacked(arrays, "validation")
    except (OSError, SafetensorError, KeyError):
        return None


def write(path: Path, training: Sequence[Example], validation: Sequence[Example]) -> None:
    """Keep them: all or nothing; the oldest files make room. Raises OSError when there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = save({**_packed(training, "training"), **_packed(validation, "validation")})
    try:
        write_file(path, hashlib.sha256(content).digest() + content)
    finally:
        path.with_name(f".{path.name}.{os.getpid()}").unlink(missing_ok=True)
    for old in sorted(path.parent.glob("*.samples"), key=lambda kept: kept.stat().st_mtime)[:-_KEPT]:
        old.unlink(missing_ok=True)


def _packed(examples: Sequence[Example], part: str) -> dict[str, "np.ndarray[tuple[int], np.dtype[np.int32]]"]:
    def flat(rows: Iterable[Sequence[int]]) -> "np.ndarray[tuple[int], np.dtype[np.int32]]":
        return np.fromiter((value for row in rows for value in row), np.int32)

    return {
        f"{part}.tokens": flat(example.tokens for example in examples),
        f"{part}.sizes": flat((len(e.tokens), e.answer_start, len(e.fields)) for e in examples),
        f"{part}.fields": flat(pair for example in examples for pair in example.fields),
    }


def _unpacked(arrays: dict[str, "np.ndarray[tuple[int], np.dtype[np.int32]]"], part: str) -> list[Example]:
    tokens, fields = arrays[f"{part}.tokens"].tolist(), arrays[f"{part}.fields"].reshape(-1, 2).tolist()
    examples, at, field = [], 0, 0
    for length, start, count in arrays[f"{part}.sizes"].reshape(-1, 3).tolist():
        pairs = tuple((first, last) for first, last in fields[field : field + count])
        examples.append(Example(tuple(tokens[at : at + length]), start, pairs))
        at, field = at + length, field + count
    return examples

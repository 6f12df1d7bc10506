"""Where examples come from: a folder of scans, or a JSON Lines file. One place that knows which is which."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from adapters.data.given import entries, folder
from adapters.data.given.example import Given
from adapters.errors import DataError
from adapters.registry.canonical import file_sha256
from ocr_frontend.documents.spec import DocumentSpec


def read_examples(path: Path, spec: DocumentSpec) -> Iterator[Given]:
    """The examples of the document, in their order. Raises DataError."""
    if path.is_dir() and folder.is_folder(path):
        yield from folder.read_folder(path)
        return
    yield from entries.read_entries(_file(path), spec.name, spec.keys)


def read_any(path: Path) -> list[Given]:
    """The examples of a document that has no file yet: whatever fields they have. Raises DataError."""
    if path.is_dir() and folder.is_folder(path):
        return list(folder.read_folder(path))
    return list(entries.read_entries(_file(path), None, None))


def _file(path: Path) -> Path:
    path = path / "examples.jsonl" if path.is_dir() else path
    if not path.is_file():
        raise DataError(
            f"{path} is neither a file of examples (JSON Lines) nor a folder with key/ and box/ or img/: "
            "say with --data below which folder the recipe's examples lie."
        )
    return path


def digest(path: Path) -> str:
    """64 hex digits of everything that `read_examples` reads there, pictures apart."""
    if path.is_dir() and folder.is_folder(path):
        files = [file for part in ("key", "box") for file in sorted((path / part).glob("*.*"))]
    else:
        file = path / "examples.jsonl" if path.is_dir() else path
        files = [each for each in (file, file.parent / entries.READ) if each.is_file()]
    found = hashlib.sha256()
    for file in files:
        found.update(f"{file.name} {file_sha256(file)}\n".encode())
    return found.hexdigest()

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
    if path.is_dir():
        if folder.is_folder(path):
            yield from folder.read_folder(path)
            return
        path = path / "examples.jsonl"
    if not path.is_file():
        raise DataError(
            f"{path} is neither a file of examples (JSON Lines) nor a folder with key/ and box/ or img/: "
            "say with --data below which folder the recipe's examples lie."
        )
    yield from entries.read_entries(path, spec.name, spec.keys)


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

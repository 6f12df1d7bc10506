"""Where documents are looked up: the built-in files, a folder of the operator's, and what a contract carries."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from ocr_frontend.documents.spec import AUTO, DocumentSpec, parse_spec


class DocumentError(Exception):
    """One sentence that names the file and what is wrong with it."""


class Documents:
    """Document files by name. Those without fields are known only so that a picture of them is told apart."""

    def __init__(self, specs: Iterable[DocumentSpec]) -> None:
        self._specs = {spec.name: spec for spec in specs}

    @property
    def readable(self) -> Mapping[str, DocumentSpec]:
        """Those that have fields."""
        return {name: spec for name, spec in self._specs.items() if spec.readable}

    @property
    def every(self) -> Mapping[str, DocumentSpec]:
        """Also those that are only told apart."""
        return MappingProxyType(self._specs)

    def find(self, name: str) -> DocumentSpec | None:
        """A readable one by name, None where there is none."""
        spec = self._specs.get(name)
        return spec if spec is not None and spec.readable else None

    def with_these(self, specs: Iterable[DocumentSpec]) -> "Documents":
        """The same with others added; of one name, the added one counts."""
        return Documents([*self._specs.values(), *specs])

    def families(self) -> dict[str, dict[str, DocumentSpec]]:
        """Family to side to document, for things that have sides."""
        found: dict[str, dict[str, DocumentSpec]] = {}
        for spec in self.readable.values():
            if spec.family and spec.side:
                found.setdefault(spec.family, {})[spec.side] = spec
        return found


@cache
def builtin() -> Documents:
    """Those that ship with the front."""
    folder = files(__package__).joinpath("builtin")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    return Documents(spec for name in names for spec in _specs(folder.joinpath(name).read_text("utf-8"), name))


def load_documents(folder: Path | None) -> Documents:
    """The built-in ones and those of the folder's .yaml files. Raises DocumentError."""
    if folder is None:
        return builtin()
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))
        texts = {path.name: path.read_text("utf-8") for path in paths}
    except OSError as error:
        raise DocumentError(f"The folder of documents {folder} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise DocumentError(f"A file in the folder of documents {folder} is not UTF-8 text.") from None
    return builtin().with_these(spec for name, text in texts.items() for spec in _specs(text, name))


def _specs(text: str, name: str) -> list[DocumentSpec]:
    """One document a file, or several where the file is a list."""
    try:
        given: Any = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError):
        raise DocumentError(f"{name} is not YAML.") from None
    try:
        return [parse_spec(each) for each in (given if isinstance(given, list) else [given])]
    except ValueError as error:
        raise DocumentError(f"{name}: {error}") from None


__all__ = ["AUTO", "DocumentError", "Documents", "builtin", "load_documents"]

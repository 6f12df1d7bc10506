"""A run's folder: one recipe, one process at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from adapters.errors import AdaptersError
from adapters.registry.atomic import write_file
from adapters.training.recipe import Recipe

_NOTE = "recipe.json"
# As checkpoint.py leaves them; `.old` alone where a kill fell between two renames.
CHECKPOINTS = ("checkpoint", "checkpoint.old")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder; the kernel gives it back when a process dies. Raises AdaptersError when another one holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AdaptersError(f"Another process works in {folder}: wait for it or choose another --runs.") from error
        yield


def claim(folder: Path, recipe: Recipe) -> None:
    """A run's folder belongs to one recipe: a checkpoint of another would be resumed as if it were this one's.

    A run that was refused before its first checkpoint holds nothing: the corrected recipe takes its place.
    """
    note = folder / _NOTE
    begun = any((folder / name).exists() for name in CHECKPOINTS)
    if not note.exists() or not begun:
        write_file(note, recipe.model_dump_json(indent=1).encode())
        return
    try:
        same = Recipe.model_validate_json(note.read_bytes()) == recipe
    except ValidationError:
        same = False
    if not same:
        raise AdaptersError(
            f"{folder} holds a run of another recipe: remove that folder or choose another with --runs."
        )

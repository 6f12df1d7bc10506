"""A registry's folder and what its state says of it: what every operation is made of (store.py)."""

import shutil
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from adapters.registry.atomic import Step, no_step, retire_folder
from adapters.registry.digest import CONFIG_FILE, content_digest
from adapters.registry.errors import Conflict, Damaged, NotFound, Refused
from adapters.registry.lock import writing
from adapters.registry.scan import Found, in_order, scan_adapter
from adapters.registry.staging import clean_staging, staging
from adapters.registry.state import STATE_FILE, AliasState, State, load_last_good, load_state, save_state
from adapters.registry.validate import check_structure

TRASH = ".trash"


def reads_whole(item: Found) -> bool:
    """Whether a revision's files read, where no base is at hand to hold them against."""
    try:
        check_structure(item.folder)
    except Refused as refused:
        return refused.transient
    return True


class RegistryFolder:
    """The registry folder `root`. `step`: see atomic.py.

    `can_serve` says which revisions an alias that nobody has set may mean: a server knows better than files alone tell.
    """

    def __init__(self, root: Path, step: Step = no_step, can_serve: Callable[[Found], bool] = reads_whole) -> None:
        self.root = root
        self._step = step
        self._can_serve = can_serve

    def staging(self) -> AbstractContextManager[Path]:
        """A folder on the registry's file system that is gone at the end, whatever happens. Raises OSError."""
        return staging(self.root)

    def clean(self) -> None:
        """Remove what killed processes left behind. Raises OSError, Busy."""
        with writing(self.root):
            clean_staging(self.root)
            # Only the holder of the lock deletes revisions and writes the state: these are nobody's any longer.
            for left in (self.root / TRASH).glob("*"):
                shutil.rmtree(left, ignore_errors=True)
            for scratch in self.root.glob(f".{STATE_FILE}.*"):
                scratch.unlink(missing_ok=True)

    def restore(self) -> State:
        """Put the last good state back in the place of one that cannot be read. Raises Conflict, Damaged, OSError."""
        with writing(self.root):
            try:
                load_state(self.root)
            except Damaged:
                return self._save(load_last_good(self.root))
            raise Conflict(f"{STATE_FILE} can be read: there is nothing to restore.")

    def _present(self, name: str) -> dict[str, Found]:
        """Revisions by name, from old to new."""
        found = in_order(scan_adapter(self.root, name), self._state().registered.get(name, {}))
        return {item.revision: item for item in found}

    def _revisions(self, name: str) -> dict[str, Found]:
        found = self._present(name)
        if not found:
            raise NotFound(f"There is no adapter {name!r}.")
        return found

    def _settled(self, name: str, present: dict[str, Found]) -> State:
        """Write down what an alias means by default, and in which order its revisions came, before that could change.

        The default is what serves: the newest that can. Where none can, there is nothing to keep.
        """
        before = state = self._state()
        known = state.registered.get(name, {})
        noted = {revision: known.get(revision, "") for revision in present}
        if noted.keys() - known.keys():
            state = state.with_registered(name, noted)
        able = (
            [revision for revision, item in present.items() if self._can_serve(item)]
            if name not in state.aliases
            else []
        )
        if able:
            state = state.with_alias(name, AliasState(weights={able[-1]: 1.0}))
        return state if state == before else self._save(state)

    def _is_able(self, item: Found | None) -> bool:
        return item is not None and self._can_serve(item)

    def _check_same(self, state: State, item: Found, digest: str) -> None:
        """Twelve digits are short enough for two contents to be made that share them."""
        known = state.registered.get(item.adapter, {}).get(item.revision) or content_digest(item.folder)
        if known != digest:
            raise Conflict(
                f"Revision {item.revision} is there with another content: its digest is {known}, not {digest}."
            )

    def _check_ours(self, found: Found) -> None:
        if found.folder.parent == self.root:
            raise Conflict(f"Adapter {found.adapter!r} is a plain folder; delete it by hand.")

    def _discard(self, folder: Path) -> None:
        trash = self.root / TRASH / uuid.uuid4().hex
        trash.parent.mkdir(exist_ok=True)
        retire_folder(folder, trash, self._step)

    def _check_place(self, name: str) -> None:
        folder = self.root / name
        if (folder / CONFIG_FILE).exists():
            raise Conflict(f"Adapter {name!r} is a plain folder with one revision; choose another name.")
        if folder.exists() and any(folder.iterdir()) and not scan_adapter(self.root, name):
            raise Conflict(f"The registry holds a folder {name!r} that is no adapter; choose another name.")

    def _state(self) -> State:
        return load_state(self.root)

    def _save(self, state: State) -> State:
        save_state(self.root, state, self._step)
        return state

"""The registry's operations. Each holds the lock, and a kill at any moment leaves it undone or done.

Order matters more than code here: a folder is complete before it has its name, the state names only what is there,
and a revision leaves the state before its folder goes.
"""

import os
import shutil
import socket
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from adapters.registry.atomic import Step, no_step, publish_folder, retire_folder
from adapters.registry.digest import CONFIG_FILE, content_digest, revision_name
from adapters.registry.errors import Conflict, NotFound, Refused
from adapters.registry.lock import writing
from adapters.registry.scan import Found, is_name, scan_adapter
from adapters.registry.state import STATE_FILE, AliasState, State, Weights, load_state, save_state

INCOMING = ".incoming"
TRASH = ".trash"
# A container that was killed never comes back under its own host name to clean up.
_FOREIGN_SECONDS = 24 * 3600


class Registry:
    """Writes to the registry folder `root`. `step`: see atomic.py."""

    def __init__(self, root: Path, step: Step = no_step) -> None:
        self.root = root
        self._step = step

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """A folder on the registry's file system that is gone at the end, whatever happens."""
        folder = self.root / INCOMING / f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex}"
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def clean(self) -> None:
        """Remove what killed processes left behind: this machine's at once, another's after a day."""
        with writing(self.root):
            for left in [*(self.root / INCOMING).glob("*"), *(self.root / TRASH).glob("*")]:
                if _is_dead(left):
                    shutil.rmtree(left, ignore_errors=True)
            # Only the holder of the lock writes the state: these are nobody's any longer.
            for scratch in self.root.glob(f".{STATE_FILE}.*"):
                scratch.unlink(missing_ok=True)

    def register(self, name: str, staged: Path) -> tuple[str, bool]:
        """Publish a checked folder; its revision, and whether it is new. Raises Conflict, Refused, OSError."""
        if not is_name(name):
            raise Refused("name", f"{name[:80]!r} is no adapter name: letters, digits, '.', '_' and '-', at most 64.")
        revision = revision_name(content_digest(staged))
        with writing(self.root):
            self._check_place(name)
            others = scan_adapter(self.root, name)
            if any(item.revision == revision for item in others):
                return revision, False
            self._settle(name, others)
            publish_folder(staged, self.root / name / revision, self._step)
            if not others:
                self._save(self._state().with_alias(name, AliasState(weights={revision: 1.0})))
        return revision, True

    def switch(self, name: str, weights: Weights) -> State:
        """Let the alias mean `weights`. Raises NotFound, Conflict."""
        with writing(self.root):
            present = self._revisions(name)
            for revision in weights:
                if revision not in present:
                    raise NotFound(f"Adapter {name!r} has no revision {revision!r}.")
            if not weights or any(weight <= 0 for weight in weights.values()):
                raise Conflict("Every share of a split must be positive.")
            self._settle(name, list(present.values()))
            state = self._state()
            return self._save(state.with_alias(name, state.aliases[name].moved(weights)))

    def rollback(self, name: str, judged: Weights | None = None, bad: str | None = None) -> State:
        """Back to what served before, past what was deleted since and what holds `bad`. Raises NotFound, Conflict.

        `judged`: what is to be left. Two servers that find one split bad at the same time go back once, not twice.
        """
        with writing(self.root):
            present = self._revisions(name)
            state = self._state()
            if judged is not None and (name not in state.aliases or state.aliases[name].weights != judged):
                raise Conflict(f"The alias {name!r} was changed meanwhile.")
            history = list(state.aliases[name].history) if name in state.aliases else []
            while history:
                weights = history.pop()
                if weights.keys() <= present.keys() and bad not in weights:
                    return self._save(state.with_alias(name, AliasState(weights=weights, history=history)))
            raise Conflict(f"Adapter {name!r} has nothing to roll back to.")

    def pin(self, name: str, revisions: Iterable[str], keep: bool = True) -> State:
        """Let these revisions of an adapter stay resident, or no longer. Raises NotFound."""
        with writing(self.root):
            present = self._revisions(name)
            for revision in revisions:
                if keep and revision not in present:
                    raise NotFound(f"Adapter {name!r} has no revision {revision!r}.")
            state = self._state()
            before, change = set(state.pinned.get(name, ())), set(revisions)
            return self._save(state.with_pins(name, sorted(before | change if keep else before - change)))

    def remove(self, name: str, revision: str) -> State:
        """Delete a revision that no alias names. Raises NotFound, Conflict, OSError."""
        with writing(self.root):
            found = self._revisions(name).get(revision)
            if found is None:
                raise NotFound(f"Adapter {name!r} has no revision {revision!r}.")
            if found.folder.parent == self.root:
                raise Conflict(f"Adapter {name!r} is a plain folder; delete it by hand.")
            self._settle(name, list(self._revisions(name).values()))
            state = self._state()
            alias = state.aliases[name]
            if revision in alias.weights:
                raise Conflict(f"The alias {name!r} names revision {revision}; switch it first.")
            history = [weights for weights in alias.history if revision not in weights]
            state = state.with_alias(name, AliasState(weights=alias.weights, history=history))
            state = state.with_pins(name, [pin for pin in state.pinned.get(name, []) if pin != revision])
            self._save(state)
            trash = self.root / TRASH / f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex}"
            trash.parent.mkdir(exist_ok=True)
            retire_folder(found.folder, trash, self._step)
            return state

    def _revisions(self, name: str) -> dict[str, Found]:
        found = {item.revision: item for item in scan_adapter(self.root, name)}
        if not found:
            raise NotFound(f"There is no adapter {name!r}.")
        return found

    def _settle(self, name: str, present: list[Found]) -> None:
        """Write down what an alias means by default, before a change would move that default."""
        state = self._state()
        if present and name not in state.aliases:
            self._save(state.with_alias(name, AliasState(weights={present[-1].revision: 1.0})))

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


def _is_dead(folder: Path) -> bool:
    """Whether the process that made a `host-pid-random` folder is gone."""
    host, _, process = folder.name.rpartition("-")[0].rpartition("-")
    if host == socket.gethostname():
        return not Path(f"/proc/{process}").exists()
    try:
        return time.time() - folder.stat().st_mtime > _FOREIGN_SECONDS
    except OSError:
        return False

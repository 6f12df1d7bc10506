"""A snapshot of the registry: every adapter, its revisions, where its alias leads. Immutable, so swapped at once."""

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from adapters.registry.canonical import canonical_json, text_sha256
from adapters.registry.contents import left_beside
from adapters.registry.errors import Ambiguous, NotFound, Refused
from adapters.registry.manifest import Manifest
from adapters.registry.scan import Found, Names, scan
from adapters.registry.state import STATE_FILE, State, Weights, load_state
from adapters.registry.validate import Rules, check_header


@dataclass(frozen=True)
class Revision:
    """One revision: what it is, or why it may not serve (`refusal`, with the failed check's name).

    `left_out`: what lies beside a dropped-in adapter and is never read (contents.py).
    """

    adapter: str
    revision: str
    folder: Path
    size: int
    time: int
    manifest: Manifest | None = None
    rank: int = 0
    modules: int = 0
    check: str | None = None
    refusal: str | None = None
    left_out: tuple[str, ...] = ()

    @property
    def public_name(self) -> str:
        """`adapter@revision`: the name that answers carry, and the key of the engine's prefix cache."""
        return f"{self.adapter}@{self.revision}"

    @cached_property
    def prompt(self) -> dict[str, Any] | None:
        """The prompt contract (docs/decisions/0001) as JSON, None where the manifest has none."""
        if self.manifest is None or self.manifest.prompt is None:
            return None
        return self.manifest.prompt.model_dump(mode="json", by_alias=True)

    @cached_property
    def prompt_sha256(self) -> str:
        """Tells whether two revisions take the same prompts."""
        return text_sha256(canonical_json(self.prompt))


@dataclass(frozen=True)
class Adapter:
    """An adapter: its revisions from old to new, the weights that its alias has, and its pins."""

    name: str
    revisions: dict[str, Revision]
    weights: Weights
    history: tuple[Weights, ...] = ()
    pinned: frozenset[str] = frozenset()

    def find(self, prefix: str) -> Revision:
        """The revision whose name begins with `prefix`. Raises NotFound, Ambiguous."""
        matches = [revision for name, revision in self.revisions.items() if prefix and name.startswith(prefix)]
        if not matches:
            raise NotFound(f"Adapter {self.name!r} has no revision {prefix!r}.")
        if len(matches) > 1:
            names = ", ".join(match.revision for match in matches[:5])
            raise Ambiguous(f"{prefix!r} names several revisions of {self.name!r}: {names}.")
        return matches[0]


@dataclass(frozen=True)
class Catalogue:
    """The whole registry at one moment."""

    adapters: dict[str, Adapter] = field(default_factory=dict)
    state: State = field(default_factory=State)

    def adapter(self, name: str) -> Adapter:
        """Raises NotFound."""
        if name not in self.adapters:
            raise NotFound(f"There is no adapter {name!r}.")
        return self.adapters[name]


class Reader:
    """Reads catalogues of one folder, again and again, checking only what is new."""

    def __init__(self, root: Path, rules: Rules) -> None:
        self.root = root
        self.rules = rules
        self._names: Names = {}
        self._known: dict[Found, Revision] = {}
        self._seen: object = None

    def read(self) -> Catalogue:
        """The registry as it is now. Raises OSError when the folder is gone, ValueError for a damaged state file."""
        self._seen = self._look()
        state = load_state(self.root)
        found = scan(self.root, self._names)
        # Only what is still there is remembered: the memory follows the folder.
        present = {item.folder for item in found}
        self._names = {key: name for key, name in self._names.items() if key[0] in present}
        self._known = {item: self._known.get(item) or self._check(item) for item in found}
        by_adapter: dict[str, dict[str, Revision]] = {}
        for item in found:
            by_adapter.setdefault(item.adapter, {})[item.revision] = self._known[item]
        adapters = {name: _adapter(name, revisions, state) for name, revisions in by_adapter.items()}
        return Catalogue(adapters, state)

    def changed(self) -> bool:
        """Whether something was added, removed or switched since the last read: cheap, one look a folder.

        A file that was overwritten where it lies is not seen.
        """
        return self._look() != self._seen

    def _look(self) -> object:
        state = self.root / STATE_FILE
        times = {entry.name: entry.stat().st_mtime_ns for entry in os.scandir(self.root) if entry.is_dir()}
        hidden = {name for name in times if name.startswith(".")}
        status = state.stat() if state.exists() else None
        return (
            status and (status.st_mtime_ns, status.st_ino),
            {name: time for name, time in times.items() if name not in hidden},
        )

    def refuse(self, revision: Revision, refused: Refused) -> None:
        """Remember that a revision failed a check that only its first load makes."""
        for item, known in self._known.items():
            if known.folder == revision.folder:
                self._known[item] = _refused(item, refused)

    def _check(self, item: Found) -> Revision:
        try:
            checked = check_header(item.folder, self.rules)
        except Refused as refused:
            return _refused(item, refused)
        except OSError as error:
            return _refused(item, Refused("unreadable", f"The adapter cannot be read: {error.strerror}."))
        return Revision(
            item.adapter,
            item.revision,
            item.folder,
            item.size,
            item.time,
            checked.manifest,
            checked.config.largest_rank,
            checked.modules,
            left_out=left_beside(item.folder) if item.folder.parent == self.root else (),
        )


def _refused(item: Found, refused: Refused) -> Revision:
    return Revision(
        item.adapter, item.revision, item.folder, item.size, item.time, check=refused.check, refusal=str(refused)
    )


def _adapter(name: str, revisions: dict[str, Revision], state: State) -> Adapter:
    alias = state.aliases.get(name)
    pinned = frozenset(state.pinned.get(name, ()))
    if alias is not None:
        return Adapter(name, revisions, alias.weights, tuple(alias.history), pinned)
    # Nobody has decided yet: the newest that can serve does.
    able = [revision for revision in revisions.values() if revision.refusal is None]
    return Adapter(name, revisions, {able[-1].revision: 1.0} if able else {}, (), pinned)

"""A snapshot of the registry: every adapter, its revisions, where its alias leads. Immutable, so swapped at once."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from adapters.registry.canonical import canonical_json, text_sha256
from adapters.registry.contents import left_beside
from adapters.registry.errors import TRANSIENT_CHECKS, Ambiguous, NotFound, Refused
from adapters.registry.manifest import Manifest
from adapters.registry.refusals import Refusals
from adapters.registry.scan import NAMELESS, Found, Names, Scan, Stamp, in_order, scan
from adapters.registry.state import STATE_FILE, State, Weights, alias_tag, load_state
from adapters.registry.validate import Rules, check_header

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 30.0
_UNFINISHED_CHECKS = TRANSIENT_CHECKS | {"weights-missing", "safetensors"}


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
    stamp: Stamp = ()

    @property
    def transient(self) -> bool:
        """Whether it was refused for a reason that may be gone at the next look."""
        return self.check in TRANSIENT_CHECKS

    @property
    def able(self) -> bool:
        """Whether it may be what an alias means: nothing speaks against it, or something that passes."""
        return self.refusal is None or self.transient

    @property
    def found(self) -> Found:
        """Where it was found, as the scan says it."""
        return Found(self.adapter, self.revision, self.folder, self.time, self.size, self.stamp)

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

    @property
    def tag(self) -> str:
        """What its alias is now, for whoever wants to change it from there and from nothing else."""
        return alias_tag(self.weights, self.history)

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
    """Reads catalogues of one folder, again and again, checking only what is new.

    `clock` gives seconds. `read` may run in another thread than the rest.
    """

    def __init__(self, root: Path, rules: Rules, clock: Callable[[], float] = time.monotonic) -> None:
        self.root = root
        self.rules = rules
        self.refusals = Refusals(clock)
        self._names: Names = {}
        self._known: dict[Found, Revision] = {}
        self._seen: object = None
        self._clock = clock
        self._troubled: set[Found] = set()
        self._pause = 0.0
        self._again = 0.0

    def read(self) -> Catalogue:
        """The registry as it is now. Raises OSError when the folder is gone, Damaged for the state file."""
        looked = self._look()
        state = load_state(self.root)
        scanned = scan(self.root, self._names)
        found = scanned.found + self._as_before(scanned)
        # Only what is still there is remembered: the memory follows the folder.
        present = {item.folder for item in found}
        self._names = {key: name for key, name in self._names.items() if key[0] in present}
        known = {item: self._known.get(item) or self._check(item) for item in found}
        self._known = {item: revision for item, revision in known.items() if not revision.transient}
        self.refusals.keep(set(found))
        by_adapter: dict[str, list[Found]] = {}
        for item in found:
            by_adapter.setdefault(item.adapter, []).append(item)
        adapters = {
            name: _adapter(
                name, [self._judged(item, known[item]) for item in in_order(items, _order(state, name))], state
            )
            for name, items in sorted(by_adapter.items())
        }
        # Last: what failed above is looked at again.
        self._seen = looked
        self._look_again({item for item, revision in known.items() if revision.check in _UNFINISHED_CHECKS})
        return Catalogue(adapters, state)

    def changed(self) -> bool:
        """Whether something was added, removed or switched since the last read, or could not be read then and is due.

        Cheap, one look a folder. A file that was overwritten where it lies is not seen.
        """
        return (bool(self._troubled) and self._clock() >= self._again) or self._look() != self._seen

    def can_serve(self, item: Found) -> bool:
        """Whether a revision passes what is known of it; one that cannot be read for a moment does."""
        return self._judged(item, self._known.get(item) or self._check(item)).able

    def unjudged(self, item: Found) -> Revision | None:
        """A revision as its files say, without what loading found; None where it is gone."""
        return self._known.get(item)

    def refuse(self, revision: Revision, refused: Refused) -> None:
        """Remember that a revision failed a check that only its first load makes, for a while (refusals.py)."""
        self.refusals.note(revision.found, refused)

    def pardon(self, revision: Revision) -> None:
        """It passed: what was remembered against it is over."""
        self.refusals.forget(revision.found)

    def _look(self) -> object:
        state = self.root / STATE_FILE
        times = {}
        for entry in os.scandir(self.root):
            try:
                if entry.is_dir() and not entry.name.startswith("."):
                    times[entry.name] = entry.stat().st_mtime_ns
            except OSError:
                times[entry.name] = -1
        status = state.stat() if state.exists() else None
        return status and (status.st_mtime_ns, status.st_ino), times

    def _look_again(self, troubled: set[Found]) -> None:
        """What cannot be read, or is still being copied, is looked at soon; what stays so, less and less often."""
        same = troubled == self._troubled
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS) if same else _FIRST_PAUSE_SECONDS
        self._troubled, self._again = troubled, self._clock() + self._pause

    def _as_before(self, scanned: Scan) -> list[Found]:
        """What an adapter had when its folder could be listed last: a disk that hiccups takes nothing away."""
        before = [item for item in self._known if item.adapter in scanned.unlisted]
        seen = {item.adapter for item in before}
        return before + [Found(name, NAMELESS, self.root / name, 0, 0) for name in scanned.unlisted if name not in seen]

    def _judged(self, item: Found, revision: Revision) -> Revision:
        refused = self.refusals.of(item)
        return revision if refused is None else _refused(item, refused)

    def _check(self, item: Found) -> Revision:
        try:
            checked = check_header(item.folder, self.rules)
            left_out = left_beside(item.folder) if item.folder.parent == self.root else ()
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
            left_out=left_out,
            stamp=item.stamp,
        )


def _refused(item: Found, refused: Refused) -> Revision:
    return Revision(
        item.adapter,
        item.revision,
        item.folder,
        item.size,
        item.time,
        check=refused.check,
        refusal=str(refused),
        stamp=item.stamp,
    )


def _order(state: State, name: str) -> dict[str, str]:
    return state.registered.get(name, {})


def _adapter(name: str, revisions: list[Revision], state: State) -> Adapter:
    alias = state.aliases.get(name)
    pinned = frozenset(state.pinned.get(name, ()))
    named = {revision.revision: revision for revision in revisions}
    if alias is not None:
        return Adapter(name, named, alias.weights, tuple(alias.history), pinned)
    # Nobody has decided yet: the newest that can serve does.
    able = [revision for revision in revisions if revision.able]
    return Adapter(name, named, {able[-1].revision: 1.0} if able else {}, (), pinned)

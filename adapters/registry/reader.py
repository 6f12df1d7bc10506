"""Reads catalogues of one folder again and again, checking only what is new."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from adapters.registry.catalogue import Adapter, Catalogue, Revision
from adapters.registry.contents import left_beside
from adapters.registry.errors import TRANSIENT_CHECKS, Refused
from adapters.registry.refusals import Refusals
from adapters.registry.scan import NAMELESS, Found, Names, Scan, in_order, scan
from adapters.registry.state import STATE_FILE, State, load_state
from adapters.registry.validate import Rules, check_header

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 30.0
_UNFINISHED_CHECKS = TRANSIENT_CHECKS | {"weights-missing", "safetensors"}


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

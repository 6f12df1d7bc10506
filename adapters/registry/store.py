"""The registry's operations. Each holds the lock, and a kill at any moment leaves it undone or done.

Order matters more than code here: a folder is complete before it has its name, the state names only what is there,
and a revision leaves the state before its folder goes.
"""

from collections.abc import Collection, Iterable
from pathlib import Path

from adapters.registry.atomic import publish_folder
from adapters.registry.digest import content_digest, revision_name
from adapters.registry.errors import Changed, Conflict, NotFound, Refused
from adapters.registry.lock import writing
from adapters.registry.registry_folder import RegistryFolder
from adapters.registry.scan import is_name
from adapters.registry.state import MOST_SHARE, AliasState, State, Weights, alias_tag


class Registry(RegistryFolder):
    """Writes to the registry folder `root`."""

    def register(self, name: str, staged: Path) -> tuple[str, bool]:
        """Publish a checked folder; its revision, and whether it is new. Raises Conflict, Refused, OSError."""
        if not is_name(name):
            raise Refused("name", f"{name[:80]!r} is no adapter name: letters, digits, '.', '_' and '-', at most 64.")
        digest = content_digest(staged)
        revision = revision_name(digest)
        with writing(self.root):
            self._check_place(name)
            present = self._present(name)
            state = self._settled(name, present)
            if revision in present:
                self._check_same(state, present[revision], digest)
                return revision, False
            publish_folder(staged, self.root / name / revision, self._step)
            state = state.with_registered(name, {**state.registered.get(name, {}), revision: digest})
            if not present or name not in state.aliases:
                state = state.with_alias(name, AliasState(weights={revision: 1.0}))
            self._save(state)
        return revision, True

    def switch(self, name: str, weights: Weights, seen: Collection[str] | None = None) -> State:
        """Let the alias mean `weights`; with `seen`, only if its tag is one of these. Raises NotFound, Conflict."""
        if not weights or not all(0 < weight <= MOST_SHARE for weight in weights.values()):
            raise Conflict(f"Every share of a split must be a number above 0, at most {MOST_SHARE:.0f}.")
        with writing(self.root):
            present = self._revisions(name)
            for revision in weights:
                if revision not in present:
                    raise NotFound(f"Adapter {name!r} has no revision {revision!r}.")
            state = self._settled(name, present)
            _check_tag(name, state, seen)
            alias = state.aliases[name].moved(weights) if name in state.aliases else AliasState(weights=weights)
            return self._save(state.with_alias(name, alias))

    def rollback(
        self, name: str, judged: Weights | None = None, bad: str | None = None, seen: Collection[str] | None = None
    ) -> State:
        """Back to what served before, past what was deleted since, cannot serve or holds `bad`.

        Raises NotFound, Conflict. With `seen`, only if the alias' tag is one of these.

        `judged`: what is to be left. Two servers that find one split bad at the same time go back once, not twice.
        """
        with writing(self.root):
            present = self._revisions(name)
            state = self._state()
            _check_tag(name, state, seen)
            if judged is not None and (name not in state.aliases or state.aliases[name].weights != judged):
                raise Conflict(f"The alias {name!r} was changed meanwhile.")
            history = list(state.aliases[name].history) if name in state.aliases else []
            while history:
                weights = history.pop()
                if bad not in weights and all(self._is_able(present.get(revision)) for revision in weights):
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
            present = self._revisions(name)
            found = present.get(revision)
            if found is None:
                raise NotFound(f"Adapter {name!r} has no revision {revision!r}.")
            self._check_ours(found)
            state = self._settled(name, present)
            alias = state.aliases.get(name)
            if alias is not None and revision in alias.weights:
                way = "switch it first" if len(present) > 1 else "it is the last one: retire the adapter"
                raise Conflict(f"The alias {name!r} names revision {revision}; {way}.")
            if alias is not None:
                history = [weights for weights in alias.history if revision not in weights]
                state = state.with_alias(name, AliasState(weights=alias.weights, history=history))
            state = state.with_pins(name, [pin for pin in state.pinned.get(name, []) if pin != revision])
            known = {key: value for key, value in state.registered.get(name, {}).items() if key != revision}
            self._save(state.with_registered(name, known))
            self._discard(found.folder)
            return state

    def retire(self, name: str) -> State:
        """Delete an adapter with all of its revisions. Raises NotFound, Conflict, OSError."""
        with writing(self.root):
            present = self._revisions(name)
            for found in present.values():
                self._check_ours(found)
            others = {path.name for path in (self.root / name).iterdir()} - present.keys()
            if others:
                raise Conflict(
                    f"The folder of {name!r} also holds {min(others)!r}, which is no revision; delete it by hand."
                )
            # The folder first, in one move: with revisions and no alias the newest would serve. What the state says of
            # an adapter that is not there means nothing.
            self._discard(self.root / name)
            return self._save(self._state().without(name))


def _check_tag(name: str, state: State, seen: Collection[str] | None) -> None:
    alias = state.aliases.get(name)
    if seen is not None and (alias is None or alias_tag(alias.weights, alias.history) not in seen):
        raise Changed(f"The alias {name!r} was changed meanwhile: read it again.")

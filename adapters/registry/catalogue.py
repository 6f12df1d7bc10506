"""A snapshot of the registry: every adapter, its revisions, where its alias leads. Immutable, so swapped at once."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from adapters.registry.canonical import canonical_json, text_sha256
from adapters.registry.errors import TRANSIENT_CHECKS, Ambiguous, NotFound
from adapters.registry.manifest import Manifest
from adapters.registry.scan import Found, Stamp
from adapters.registry.state import State, Weights, alias_tag


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

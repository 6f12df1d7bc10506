"""Who is told what happens to adapters: the metrics, or a test."""

from typing import Literal, Protocol

from adapters.registry.catalogue import Revision

# Why a revision is loaded before anybody asks for it (ahead.py).
Why = Literal["rhythm", "follows", "hint", "queued"]
REASONS: tuple[Why, ...] = ("rhythm", "follows", "hint", "queued")


class Observer(Protocol):
    """Called on the event loop; must be quick."""

    def looked_up(self, hit: bool) -> None:
        """A request asked for a revision that is loaded or being loaded, or is not."""

    def loaded(self, revision: Revision, seconds: float) -> None:
        """From disk into the engine."""

    def failed(self, revision: Revision, error: BaseException) -> None:
        """A load did not succeed."""

    def evicted(self, revision: Revision, reason: str) -> None:
        """`room`: for another one; `left`: no alias means it any longer, or it was deleted."""

    def foreseen(self, revision: Revision) -> None:
        """A revision that was loaded ahead is asked for the first time."""

    def loaded_ahead(self, why: Why) -> None:
        """A revision was loaded before anybody asked."""

"""Loads what will probably be asked, before it is: what this time of day asks for, what a caller asks after another,
what a router announces, what stands in the queue. A guess never pushes out what is more popular than itself."""

import asyncio
import math
from collections.abc import Callable, Iterable

from adapters.registry.catalogue import Revision
from server.control.followers import Followers
from server.control.loading import Loading
from server.control.observer import Observer, Why

# How many requests a reason counts for, against those that others had lately.
_BONUS: dict[Why, float] = {"rhythm": 0.0, "follows": 1.0, "hint": 1.0, "queued": math.inf}
_AT_ONCE = 2  # a guess must not keep the disk from who waits for a load
_LIKELY = 2000  # adapters that this time of day asks for, looked through for some that are not there
_A_LOOK = 8  # of them loaded at each look


class Ahead:
    """`meant`: the revision that a model's name stands for now, None for what cannot be loaded."""

    def __init__(self, loading: Loading, meant: Callable[[str], Revision | None], observer: Observer) -> None:
        self._loading = loading
        self._meant = meant
        self._observer = observer
        self._followers = Followers()
        self._tasks: set[asyncio.Task[None]] = set()

    def asked(self, caller: int, adapter: str) -> None:
        """A caller asks for an adapter; what it usually asks next is loaded."""
        after = self._followers.asked(caller, adapter)
        if after is not None:
            self.expect([after], "follows")

    def expect(self, models: Iterable[str], why: Why) -> None:
        """Load these beside the requests, as far as it is worth it."""
        for model in models:
            revision = self._meant(model)
            if revision is None or self._loading.residency.holds(revision.public_name):
                continue
            if len(self._tasks) >= _AT_ONCE:
                return
            task = asyncio.create_task(self._load(revision, why))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def look(self) -> None:
        """Load some of what this time of day asks for, one after the other."""
        residency = self._loading.residency
        likely = (self._meant(name) for name in residency.forecast.likely(_LIKELY))
        missing = [one for one in likely if one is not None and not residency.holds(one.public_name)]
        for revision in missing[:_A_LOOK]:
            await self._load(revision, "rhythm")

    async def _load(self, revision: Revision, why: Why) -> None:
        if await self._loading.warm_if_worth(revision, _BONUS[why]):
            self._observer.loaded_ahead(why)

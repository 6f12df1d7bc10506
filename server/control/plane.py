"""The state of the running server: the catalogue that answers now, and the tools that follow and change it."""

import asyncio
import logging
from dataclasses import dataclass

from adapters.registry.catalogue import Adapter, Catalogue, Revision
from adapters.registry.errors import RegistryError
from adapters.registry.reader import Reader
from adapters.registry.store import Registry
from server.control.ahead import Ahead
from server.control.canary import Canaries
from server.control.checks import Checks
from server.control.engine import Slots
from server.control.lanes import Lanes
from server.control.lease import Lease
from server.control.loading import Loading
from server.control.residency import Residency
from server.control.target import Resolver, Target
from server.control.watch import SplitWatch
from server.metrics import Metrics
from server.tiers import Tiers, follow

log = logging.getLogger("server.plane")


@dataclass
class Plane:
    """One per server. `catalogue` is replaced as a whole, so that a request sees one moment of it."""

    registry: Registry
    reader: Reader
    residency: Residency
    resolver: Resolver
    metrics: Metrics
    watch: SplitWatch
    checks: Checks
    catalogue: Catalogue
    lanes: Lanes
    tiers: Tiers
    admission_seconds: float

    def __post_init__(self) -> None:
        self.trouble: str | None = None  # why the registry could not be read the last time
        self.loading = Loading(self.residency, self.reader, self.refresh, self.admission_seconds)
        self.ahead = Ahead(self.loading, self._meant, self.metrics.revisions)
        self.canaries = Canaries()
        self._refreshing = asyncio.Lock()
        self._warming: set[asyncio.Task[None]] = set()
        self._mending: asyncio.Task[None] | None = None
        self._too_many_pins = 0

    async def acquire(self, model: str | None, user: str | None) -> tuple[Target, Lease | None]:
        """What `model` means now, loaded and held. Raises NotHere, Unavailable."""
        target = self.resolver.resolve(self.catalogue, model, user)
        if target.revision is None:
            return target, None
        return target, await self.loading.admit(target.revision)

    async def refresh(self) -> bool:
        """Read the registry again; new requests get what it says now. What cannot be read changes nothing.

        Whether it was read; `trouble` says why not.
        """
        async with self._refreshing:
            before = self.catalogue
            try:
                self.catalogue = await self.lanes.registry(self.reader.read)
            except Exception as error:
                # Another server's files, a person's, a network's: nothing that they hold may end this one.
                self.trouble = _reason(error)
                log.error("the registry cannot be read, what it said before stays: %s", self.trouble)
                return False
            self.trouble = None
            await self._pin()
            self.checks.keep({revision.found for revision in all_revisions(self.catalogue)})
        if self.catalogue.adapters != before.adapters:
            await self._follow(before)
        return True

    async def preload(self, most: int) -> None:
        """Load what is pinned, then what aliases mean, up to `most` of these: a thousand would delay the start."""
        adapters = self.catalogue.adapters.values()
        pinned = [adapter.revisions.get(name) for adapter in adapters for name in sorted(adapter.pinned)]
        meant = [adapter.revisions.get(name) for adapter in adapters for name in adapter.weights]
        wanted = [*pinned[: self.residency.room_for_pins], *meant[:most]]
        for revision in {r.public_name: r for r in wanted if r is not None and r.refusal is None}.values():
            await self.loading.warm(revision)

    def begin_metrics(self) -> None:
        """Counters at zero for what aliases mean, as far as half of the labels go; the rest is for who is asked."""
        meant = [(a.name, name) for a in self.catalogue.adapters.values() for name in (*a.weights, *sorted(a.pinned))]
        for adapter, revision in dict.fromkeys(meant[: self.metrics.labels.most // 2]):
            self.metrics.begin(adapter, revision)

    def log_refusals(self) -> None:
        """Say of each revision that cannot serve why, and what beside the others is not read."""
        for revision in all_revisions(self.catalogue):
            if revision.left_out:
                log.info("%s: %s left out", revision.public_name, ", ".join(revision.left_out[:20]))
            if revision.refusal is not None:
                log.warning("%s is refused: %s", revision.public_name, revision.refusal)

    def mend(self) -> None:
        """Try again, beside the requests, what failed and is due: refused revisions, pins that are not loaded."""
        if self._mending is not None and not self._mending.done():
            return
        due = [revision for item in self.reader.refusals.due() if (revision := self.reader.unjudged(item)) is not None]
        loaded = {revision.public_name for revision in self.residency.resident()}
        lost = [
            revision
            for revision in all_revisions(self.catalogue)
            if revision.public_name in self.residency.pinned - loaded
            and revision.refusal is None
            and not self.reader.refusals.wait(revision.found)
        ]
        if due or lost:
            self._mending = asyncio.create_task(self._mend([*due, *lost]))

    async def look_ahead(self, free: int) -> None:
        """Give adapters the part of the memory that is theirs now, and load what this time of day asks for.

        `free`: bytes that machine or container have left.
        """
        room = follow(self.tiers, self.residency.room, free)
        if room != self.residency.room:
            await self.residency.resize(room)
        await self.ahead.look()

    async def look_at_slots(self) -> Slots:
        """What is in the engine's slots now."""
        return await self.checks.prober.engine.slots()

    def _meant(self, model: str) -> Revision | None:
        """What a name would mean now; None for the base, and for what cannot serve."""
        return self.resolver.likely(self.catalogue, model)

    async def _pin(self) -> None:
        """What the registry says is pinned, as far as this server has slots; it is loaded beside the requests."""
        pinned = [(a, name) for a in self.catalogue.adapters.values() for name in sorted(a.pinned)]
        room, before = self.residency.room_for_pins, self.residency.pinned
        if len(pinned) > room and len(pinned) != self._too_many_pins:
            log.warning("%d revisions are pinned, this server has slots for %d of them", len(pinned), room)
        self._too_many_pins = len(pinned) if len(pinned) > room else 0
        able = {f"{a.name}@{name}": a.revisions[name] for a, name in pinned[:room] if name in a.revisions}
        await self.residency.pin(able)
        for name in able.keys() - before:
            if able[name].refusal is None:
                task = asyncio.create_task(self.loading.warm(able[name]))
                self._warming.add(task)
                task.add_done_callback(self._warming.discard)

    async def _mend(self, revisions: list[Revision]) -> None:
        for revision in revisions:
            await self.loading.warm(revision)
        await self.refresh()

    async def _follow(self, before: Catalogue) -> None:
        """After a change: what an alias left behind leaves the engine once drained, unless a rollback may want it."""
        for name, old in before.adapters.items():
            new = self.catalogue.adapters.get(name)
            kept = _kept(new) if new else set()
            gone = old.revisions.keys() - (new.revisions.keys() if new else set())
            for revision in set(old.weights) | gone | _before(old):
                if revision not in kept:
                    await self.residency.leave(f"{name}@{revision}")


def all_revisions(catalogue: Catalogue) -> list[Revision]:
    """Every revision of every adapter."""
    return [revision for adapter in catalogue.adapters.values() for revision in adapter.revisions.values()]


def _kept(adapter: Adapter) -> set[str]:
    return set(adapter.weights) | _before(adapter)


def _before(adapter: Adapter) -> set[str]:
    return set(adapter.history[-1]) if adapter.history else set()


def _reason(error: Exception) -> str:
    """Fit for anybody's eyes: an exception of another kind may quote what it met."""
    if isinstance(error, RegistryError):
        return str(error)
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__

"""The state of the running server: the catalogue that answers now, and the tools that follow and change it."""

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path

from adapters.registry.base_form import form_warning
from adapters.registry.catalogue import Adapter, Catalogue, Reader, Revision
from adapters.registry.errors import Refused
from adapters.registry.proofs import Proofs
from adapters.registry.store import Registry
from adapters.registry.validate import check_content
from server.control.engine import Slots
from server.control.probe import Prober
from server.control.residency import Lease, Residency
from server.control.target import Resolver, Target
from server.control.watch import SplitWatch
from server.errors import NotHere, Unavailable
from server.metrics import Metrics

log = logging.getLogger("server.plane")
_UNREADABLE = "unreadable"


@dataclass
class Plane:
    """One per server. `catalogue` is replaced as a whole, so that a request sees one moment of it."""

    registry: Registry
    reader: Reader
    residency: Residency
    resolver: Resolver
    metrics: Metrics
    watch: SplitWatch
    prober: Prober
    proofs: Proofs
    catalogue: Catalogue

    def __post_init__(self) -> None:
        self._refreshing = asyncio.Lock()
        self._warming: set[asyncio.Task[None]] = set()
        self._too_many_pins = 0
        self._verified: set[tuple[Path, int, int]] = set()

    async def acquire(self, model: str | None, user: str | None) -> tuple[Target, Lease | None]:
        """What `model` means now, loaded and held. Raises NotHere, Unavailable."""
        target = self.resolver.resolve(self.catalogue, model, user)
        if target.revision is None:
            return target, None
        try:
            lease = await self.residency.acquire(target.revision)
        except Refused as refused:
            if refused.check == _UNREADABLE:
                # A disk or a network that fails for a moment, or a revision that was deleted just now.
                await self.refresh()
                raise Unavailable(f"{target.model} cannot be read at the moment.", 5) from refused
            await self._refuse(target.revision, refused)
            raise NotHere(f"{target.model} cannot serve: {refused}", param="model", code=refused.check) from refused
        try:
            await lease.sit()
        except BaseException:
            await lease.release()
            raise
        return target, lease

    async def refresh(self) -> None:
        """Read the registry again; new requests get what it says now. A folder that cannot be read changes nothing."""
        async with self._refreshing:
            before = self.catalogue
            try:
                self.catalogue = await asyncio.to_thread(self.reader.read)
            except (OSError, ValueError) as error:
                log.error("the registry cannot be read, what it said before stays: %s", error)
                return
            await self._pin()
            self._verified &= {(r.folder, r.time, r.size) for r in all_revisions(self.catalogue)}
        if self.catalogue.adapters != before.adapters:
            await self._follow(before)

    async def preload(self, most: int) -> None:
        """Load what is pinned, then what aliases mean, up to `most` of these: a thousand would delay the start."""
        adapters = self.catalogue.adapters.values()
        pinned = [adapter.revisions.get(name) for adapter in adapters for name in sorted(adapter.pinned)]
        meant = [adapter.revisions.get(name) for adapter in adapters for name in adapter.weights]
        wanted = [*pinned[: self.residency.room_for_pins], *meant[:most]]
        for revision in {r.public_name: r for r in wanted if r is not None and r.refusal is None}.values():
            await self._warm(revision)

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

    async def verify(self, revision: Revision) -> None:
        """The checks that read all weights, before the first load of what lies there. Raises Refused."""
        key = (revision.folder, revision.time, revision.size)
        if key in self._verified:
            return
        try:
            await asyncio.to_thread(check_content, revision.folder, revision.manifest, revision.revision)
        except OSError as error:
            raise Refused(_UNREADABLE, f"The adapter cannot be read: {error.strerror}.") from error
        self._verified.add(key)
        if warning := form_warning(revision.public_name, revision.manifest, self.reader.rules.base.form):
            log.warning("%s", warning)

    async def prove(self, revision: Revision) -> None:
        """The proof of effect, after the first load of what no server has proved yet. Raises Refused."""
        if not await asyncio.to_thread(self.proofs.has, revision.revision):
            await self.prober.prove(revision.public_name, revision.manifest)
            await asyncio.to_thread(self.proofs.note, revision.revision)

    async def look_at_slots(self) -> Slots:
        """What is in the engine's slots now."""
        return await self.prober.engine.slots()

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
                task = asyncio.create_task(self._warm(able[name]))
                self._warming.add(task)
                task.add_done_callback(self._warming.discard)

    async def _warm(self, revision: Revision) -> None:
        try:
            await (await self.residency.acquire(revision)).release()
            log.info("%s is loaded", revision.public_name)
        except Refused as refused:
            await self._refuse(revision, refused)

    async def _follow(self, before: Catalogue) -> None:
        """After a change: what an alias left behind leaves the engine once drained, unless a rollback may want it."""
        for name, old in before.adapters.items():
            new = self.catalogue.adapters.get(name)
            kept = _kept(new) if new else set()
            gone = old.revisions.keys() - (new.revisions.keys() if new else set())
            for revision in set(old.weights) | gone | _before(old):
                if revision not in kept:
                    await self.residency.leave(f"{name}@{revision}")

    async def _refuse(self, revision: Revision, refused: Refused) -> None:
        log.warning("%s is refused: %s", revision.public_name, refused)
        self.reader.refuse(revision, refused)
        await self.refresh()


def all_revisions(catalogue: Catalogue) -> list[Revision]:
    """Every revision of every adapter."""
    return [revision for adapter in catalogue.adapters.values() for revision in adapter.revisions.values()]


def _kept(adapter: Adapter) -> set[str]:
    return set(adapter.weights) | _before(adapter)


def _before(adapter: Adapter) -> set[str]:
    return set(adapter.history[-1]) if adapter.history else set()

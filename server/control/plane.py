"""The state of the running server: the catalogue that answers now, and the tools that follow and change it."""

import asyncio
import logging
from dataclasses import dataclass

from adapters.registry.base_form import form_warning
from adapters.registry.catalogue import Adapter, Catalogue, Reader, Revision
from adapters.registry.errors import Refused, RegistryError
from adapters.registry.proofs import Proofs
from adapters.registry.scan import Found
from adapters.registry.store import Registry
from adapters.registry.validate import check_content
from server.control.engine import Slots
from server.control.lanes import Lanes
from server.control.probe import Prober
from server.control.residency import Lease, Residency
from server.control.target import Resolver, Target
from server.control.watch import SplitWatch
from server.errors import NotHere, ServerError, Unavailable
from server.metrics import Metrics

log = logging.getLogger("server.plane")
_RETRY_SECONDS = 5.0


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
    lanes: Lanes
    admission_seconds: float

    def __post_init__(self) -> None:
        self.trouble: str | None = None  # why the registry could not be read the last time
        self._refreshing = asyncio.Lock()
        self._warming: set[asyncio.Task[None]] = set()
        self._mending: asyncio.Task[None] | None = None
        self._too_many_pins = 0
        self._verified: set[Found] = set()

    async def acquire(self, model: str | None, user: str | None) -> tuple[Target, Lease | None]:
        """What `model` means now, loaded and held. Raises NotHere, Unavailable."""
        target = self.resolver.resolve(self.catalogue, model, user)
        if target.revision is None:
            return target, None
        return target, await self.admit(target.revision)

    async def admit(self, revision: Revision) -> Lease:
        """`revision` loaded, with a seat, held. Raises NotHere, Unavailable: it waits for its place only so long."""
        self._check_wait(revision)
        limit = asyncio.timeout(self.admission_seconds)
        try:
            async with limit:
                return await self._admit(revision)
        except TimeoutError as error:
            if not limit.expired():
                raise await self._failed(revision, _busy()) from error
            text = f"{revision.public_name} found no place within {self.admission_seconds:g} s: too many are in use."
            raise Unavailable(text, _RETRY_SECONDS) from error
        except Refused as refused:
            raise await self._failed(revision, refused) from refused
        except ServerError:
            raise
        except Exception as error:
            # Of the engine's process or of this one: it says nothing about the revision.
            log.error("%s could not be loaded: %s", revision.public_name, type(error).__name__)
            raise await self._failed(revision, _busy()) from error

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
            self._verified &= {revision.found for revision in all_revisions(self.catalogue)}
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
        if revision.found in self._verified:
            return
        await self.lanes.check(check_content, revision.folder, revision.manifest, revision.revision)
        self._verified.add(revision.found)
        if warning := form_warning(revision.public_name, revision.manifest, self.reader.rules.base.form):
            log.warning("%s", warning)

    async def prove(self, revision: Revision) -> None:
        """The proof of effect, after the first load of what no server has proved yet. Raises Refused."""
        if not await self.lanes.registry(self.proofs.has, revision.revision):
            await self.prober.prove(revision.public_name, revision.manifest)
            await self.lanes.registry(self.proofs.note, revision.revision)

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

    async def _admit(self, revision: Revision) -> Lease:
        lease = await self.residency.acquire(revision)
        self.reader.pardon(revision)
        try:
            await lease.sit()
        except BaseException:
            await lease.release()
            raise
        return lease

    def _check_wait(self, revision: Revision) -> None:
        """Whoever asks soon after a load that failed for a moment is told to wait: a disk in trouble needs no crowd."""
        seconds = self.reader.refusals.wait(revision.found)
        if seconds > 0 and not self.residency.holds(revision.public_name):
            raise Unavailable(f"{revision.public_name} could not be loaded a moment ago.", seconds)

    async def _failed(self, revision: Revision, refused: Refused) -> ServerError:
        """What the caller is told of a load that failed; remembered, for a moment or for longer."""
        name = revision.public_name
        if refused.transient:
            log.warning("%s could not be loaded: %s", name, refused)
            seconds = self.reader.refusals.note(revision.found, refused)
            # Perhaps it was deleted just now.
            await self.refresh()
            return Unavailable(f"{name} could not be loaded: {refused}", seconds)
        await self._refuse(revision, refused)
        return NotHere(f"{name} cannot serve: {refused}", param="model", code=refused.check)

    async def _warm(self, revision: Revision) -> None:
        """Load ahead of requests. Whatever fails here fails for this revision alone."""
        try:
            await (await self.residency.acquire(revision)).release()
        except Refused as refused:
            if refused.transient:
                log.warning("%s could not be loaded: %s", revision.public_name, refused)
                self.reader.refusals.note(revision.found, refused)
            else:
                await self._refuse(revision, refused)
        except Exception as error:
            log.error("%s could not be loaded: %s", revision.public_name, type(error).__name__)
            self.reader.refusals.note(revision.found, _busy())
        else:
            log.info("%s is loaded", revision.public_name)
            self.reader.pardon(revision)

    async def _mend(self, revisions: list[Revision]) -> None:
        for revision in revisions:
            await self._warm(revision)
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


def _busy() -> Refused:
    return Refused("engine-busy", "The engine could not load the adapter.")


def _reason(error: Exception) -> str:
    """Fit for anybody's eyes: an exception of another kind may quote what it met."""
    if isinstance(error, RegistryError):
        return str(error)
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__

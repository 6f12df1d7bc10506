"""The admin actions: register, switch, split, roll back, pin, delete. Each is checked, done, followed, then audited."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from adapters.registry.catalogue import Adapter, Revision
from adapters.registry.contents import Taken
from adapters.registry.digest import content_digest, revision_name
from adapters.registry.errors import Conflict, Refused, RegistryError
from adapters.registry.state import Weights
from adapters.registry.validate import Checked, check_content, check_header
from server.auth.audit import Audit
from server.control.plane import Plane
from server.errors import ServerError, Unavailable, from_registry

_Result = TypeVar("_Result")


@dataclass
class Admin:
    """`base`: the base's public name, which no adapter may take."""

    plane: Plane
    audit: Audit
    base: str

    def __post_init__(self) -> None:
        # One change at a time here; between servers the registry's own lock decides. What takes long (fetching,
        # probing, loading) stays outside: a rollback must not wait for another adapter's download.
        self._changing = asyncio.Lock()
        self._pinning = asyncio.Lock()
        # The engine has room for one adapter more than the residency counts on.
        self._probing = asyncio.Lock()

    async def register(self, who: str, name: str, fetch: Callable[[Path], Taken]) -> dict[str, Any]:
        """`fetch` fills a staging folder and says where the adapter lies in it. Raises ServerError."""

        lanes = self.plane.lanes

        async def action() -> dict[str, Any]:
            if name == self.base:
                raise Refused("name", f"{name!r} is the base model's name.")
            with self.plane.registry.staging() as staging:
                taken = await lanes.fetch(fetch, staging)
                folder = taken.folder
                checked = await lanes.check(self._check, folder)
                async with self._probing:
                    probe = f"probe@{staging.name[-12:]}"
                    proved = await self.plane.prober.prove_staged(folder, checked.manifest, probe)
                async with self._changing:
                    revision, new = await lanes.registry(self.plane.registry.register, name, folder)
                    await lanes.registry(self.plane.proofs.note, revision)
                    await self._follow()
            checks = ["config", "base", f"tensors ({checked.modules} modules)", "values", "digest", *proved]
            return {
                "adapter": name,
                "revision": revision,
                "new": new,
                "checks": checks,
                "left_out": list(taken.left_out),
            }

        return await self._audited(who, "register", {"adapter": name}, action)

    async def route(self, who: str, name: str, weights: Weights, seen: Collection[str] | None = None) -> dict[str, Any]:
        """Switch (one revision) or split. Full names or unambiguous prefixes. Raises ServerError.

        `seen`: only if the alias has one of these tags.
        """

        async def action() -> dict[str, Any]:
            adapter = self.plane.catalogue.adapter(name)
            wanted = self._resolve(adapter, weights)
            chosen = {revision.revision: weight for revision, weight in wanted.values()}
            for revision, _ in wanted.values():
                await self._warm(revision)
            await self._write(self.plane.registry.switch, name, chosen, seen)
            self.plane.metrics.switched(name, chosen)
            return {"adapter": name, "weights": chosen}

        return await self._audited(who, "route", {"adapter": name, "weights": weights}, action)

    async def rollback(
        self,
        who: str,
        name: str,
        reason: str = "manual",
        judged: Weights | None = None,
        bad: str | None = None,
        seen: Collection[str] | None = None,
    ) -> dict[str, Any]:
        """Back to what served before (without `bad`), only if the alias still means `judged`. Raises ServerError."""

        async def action() -> dict[str, Any]:
            left = set(self.plane.catalogue.adapter(name).weights)
            await self._write(self.plane.registry.rollback, name, judged, bad, seen)
            self.plane.watch.forget(name)
            weights = self.plane.catalogue.adapter(name).weights
            self.plane.metrics.rolled_back(name, left - weights.keys(), reason)
            return {"adapter": name, "weights": weights}

        return await self._audited(who, "rollback", {"adapter": name, "reason": reason}, action)

    async def pin(self, who: str, name: str, prefix: str | None, keep: bool) -> dict[str, Any]:
        """Keep a revision (by default what the alias means) resident, or no longer. Raises ServerError."""

        async def action() -> dict[str, Any]:
            adapter = self.plane.catalogue.adapter(name)
            named = {adapter.find(prefix).revision} if prefix else set(adapter.weights if keep else adapter.pinned)
            wanted = sum(len(a.pinned) for a in self.plane.catalogue.adapters.values()) + len(named - adapter.pinned)
            if keep and wanted > self.plane.residency.room_for_pins:
                raise Conflict(self._no_room(wanted))
            for revision in named if keep else ():
                await self._warm(adapter.revisions[revision])
            await self._write(self.plane.registry.pin, name, sorted(named), keep)
            return {"adapter": name, "pinned": sorted(self.plane.catalogue.adapter(name).pinned)}

        async with self._pinning:  # two at a time would both find the last room
            return await self._audited(who, "pin" if keep else "unpin", {"adapter": name, "revision": prefix}, action)

    async def remove(self, who: str, name: str, prefix: str) -> dict[str, Any]:
        """Delete a revision that no alias names and no request uses. Raises ServerError."""

        async def action() -> dict[str, Any]:
            revision = self.plane.catalogue.adapter(name).find(prefix)
            if self.plane.residency.in_use(revision.public_name):
                raise Conflict(f"{revision.public_name} is answering requests; try again when they are done.")
            await self._write(self.plane.registry.remove, name, revision.revision)
            await self.plane.lanes.registry(self.plane.proofs.forget, revision.revision)
            await self.plane.residency.leave(revision.public_name)
            return {"adapter": name, "revision": revision.revision, "deleted": True}

        return await self._audited(who, "delete", {"adapter": name, "revision": prefix}, action)

    async def retire(self, who: str, name: str) -> dict[str, Any]:
        """Delete an adapter with all of its revisions, unless requests use one. Raises ServerError."""

        async def action() -> dict[str, Any]:
            revisions = list(self.plane.catalogue.adapter(name).revisions.values())
            used = [revision for revision in revisions if self.plane.residency.in_use(revision.public_name)]
            if used:
                raise Conflict(f"{used[0].public_name} is answering requests; try again when they are done.")
            await self._write(self.plane.registry.retire, name)
            for revision in revisions:
                await self.plane.lanes.registry(self.plane.proofs.forget, revision.revision)
                await self.plane.residency.leave(revision.public_name)
            return {"adapter": name, "deleted": True}

        return await self._audited(who, "retire", {"adapter": name}, action)

    def _check(self, folder: Path) -> Checked:
        checked = check_header(folder, self.plane.reader.rules)
        check_content(folder, checked.manifest, revision_name(content_digest(folder)))
        return checked

    def _resolve(self, adapter: Adapter, weights: Weights) -> dict[str, tuple[Revision, float]]:
        found: dict[str, tuple[Revision, float]] = {}
        for prefix, weight in weights.items():
            revision = adapter.find(prefix)
            if revision.refusal is not None:
                raise Conflict(f"{revision.public_name} cannot serve: {revision.refusal}")
            if revision.revision in found:
                raise Conflict(f"Revision {revision.revision} is named twice.")
            found[revision.revision] = (revision, weight)
        contracts = {revision.prompt_sha256 for revision, _ in found.values()}
        if len(contracts) > 1:
            raise Conflict("These revisions have different prompt contracts: a caller could not know which to render.")
        return found

    def _no_room(self, wanted: int) -> str:
        room, slots = self.plane.residency.room_for_pins, self.plane.residency.seats.slots
        return (
            f"{wanted} revisions would be pinned, and this server keeps at most {room}: it has {slots} slots, "
            "and one stays free for all other adapters. Unpin one, or start it with more SERVER_MAX_LORAS."
        )

    async def _warm(self, revision: Revision) -> None:
        """Load before a change, so that nobody waits after it. Not held: two changes could block each other."""
        try:
            async with asyncio.timeout(self.plane.admission_seconds):
                await (await self.plane.residency.acquire(revision)).release()
        except TimeoutError as error:
            text = f"{revision.public_name} could not be loaded within {self.plane.admission_seconds:g} s."
            raise Unavailable(text, 5) from error

    async def _write(self, operation: Callable[..., Any], *arguments: Any) -> None:
        async with self._changing:
            await self.plane.lanes.registry(operation, *arguments)
            await self._follow()

    async def _follow(self) -> None:
        """Serve what was written. Raises Unavailable where it cannot be read back: it does not serve yet."""
        if not await self.plane.refresh():
            text = f"The change is written, but this server cannot read the registry: {self.plane.trouble}"
            raise Unavailable(text, 5)

    async def _audited(self, who: str, action: str, what: dict[str, Any], run: Callable[[], Any]) -> dict[str, Any]:
        try:
            result: dict[str, Any] = await run()
        except RegistryError as error:
            if isinstance(error, Refused) and action == "register":
                self.plane.metrics.refusals.labels(error.check).inc()
            self.audit.write(who, action, what, str(error))
            raise from_registry(error) from error
        except ServerError as error:
            self.audit.write(who, action, what, error.message)
            raise
        except OSError as error:
            self.audit.write(who, action, what, f"failed: {type(error).__name__}")
            reason = error.strerror or type(error).__name__
            raise Unavailable(f"The registry cannot be written: {reason}.", 5) from error
        except BaseException as error:
            self.audit.write(who, action, what, f"failed: {type(error).__name__}")
            raise
        self.audit.write(who, action, {**what, **result}, "ok")
        return result

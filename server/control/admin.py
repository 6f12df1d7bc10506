"""The admin actions: register, switch, split, roll back, pin, delete. Each is checked, done, followed, then audited."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from adapters.registry.catalogue import Adapter, Revision
from adapters.registry.digest import content_digest, revision_name
from adapters.registry.errors import Conflict, Refused, RegistryError
from adapters.registry.state import Weights
from adapters.registry.validate import Checked, check_content, check_header
from server.auth.audit import Audit
from server.control.engine import LoraEngine
from server.control.plane import Plane
from server.control.probe import prove
from server.errors import ServerError, from_registry

_Result = TypeVar("_Result")


@dataclass
class Admin:
    """`base`: the base's public name, which no adapter may take."""

    plane: Plane
    engine: LoraEngine
    audit: Audit
    base: str

    def __post_init__(self) -> None:
        # One change at a time here; between servers the registry's own lock decides.
        self._changing = asyncio.Lock()

    async def register(self, who: str, name: str, fetch: Callable[[Path], Path]) -> dict[str, Any]:
        """`fetch` fills a staging folder and says where the adapter lies in it. Raises ServerError."""

        async def action() -> dict[str, Any]:
            if name == self.base:
                raise Refused("name", f"{name!r} is the base model's name.")
            with self.plane.registry.staging() as staging:
                folder = await asyncio.to_thread(fetch, staging)
                checked = await asyncio.to_thread(self._check, folder)
                probe = f"probe@{staging.name[-12:]}"
                proved = await prove(self.engine, folder, checked.manifest, probe)
                revision, new = await asyncio.to_thread(self.plane.registry.register, name, folder)
            await self.plane.refresh()
            checks = ["config", "base", f"tensors ({checked.modules} modules)", "values", "digest", *proved]
            return {"adapter": name, "revision": revision, "new": new, "checks": checks}

        return await self._audited(who, "register", {"adapter": name}, action)

    async def route(self, who: str, name: str, weights: Weights) -> dict[str, Any]:
        """Switch (one revision) or split. Full names or unambiguous prefixes. Raises ServerError."""

        async def action() -> dict[str, Any]:
            adapter = self.plane.catalogue.adapter(name)
            wanted = self._resolve(adapter, weights)
            for revision in wanted.values():
                await self._warm(revision[0])
            chosen = {revision.revision: weight for revision, weight in wanted.values()}
            await self._write(self.plane.registry.switch, name, chosen)
            self.plane.metrics.switches.labels(self.plane.metrics.adapter(name)).inc()
            return {"adapter": name, "weights": chosen}

        return await self._audited(who, "route", {"adapter": name, "weights": weights}, action)

    async def rollback(self, who: str, name: str, reason: str = "manual") -> dict[str, Any]:
        """Back to what served before. Raises ServerError."""

        async def action() -> dict[str, Any]:
            await self._write(self.plane.registry.rollback, name)
            self.plane.watch.forget(name)
            self.plane.metrics.rollbacks.labels(self.plane.metrics.adapter(name), reason).inc()
            return {"adapter": name, "weights": self.plane.catalogue.adapter(name).weights}

        return await self._audited(who, "rollback", {"adapter": name, "reason": reason}, action)

    async def pin(self, who: str, name: str, prefix: str | None, keep: bool) -> dict[str, Any]:
        """Keep a revision (by default what the alias means) resident, or no longer. Raises ServerError."""

        async def action() -> dict[str, Any]:
            adapter = self.plane.catalogue.adapter(name)
            named = {adapter.find(prefix).revision} if prefix else set(adapter.weights if keep else adapter.pinned)
            pinned = adapter.pinned | named if keep else adapter.pinned - named
            elsewhere = sum(len(a.pinned) for a in self.plane.catalogue.adapters.values() if a.name != name)
            if keep and elsewhere + len(pinned) > self.plane.residency.room_for_pins:
                raise Conflict(f"Only {self.plane.residency.room_for_pins} revisions can be pinned on this server.")
            await self._write(self.plane.registry.pin, name, sorted(pinned))
            for revision in named if keep else ():
                await self._warm(adapter.revisions[revision])
            return {"adapter": name, "pinned": sorted(pinned)}

        return await self._audited(who, "pin" if keep else "unpin", {"adapter": name, "revision": prefix}, action)

    async def remove(self, who: str, name: str, prefix: str) -> dict[str, Any]:
        """Delete a revision that no alias names and no request uses. Raises ServerError."""

        async def action() -> dict[str, Any]:
            revision = self.plane.catalogue.adapter(name).find(prefix)
            if self.plane.residency.in_use(revision.public_name):
                raise Conflict(f"{revision.public_name} is answering requests; try again when they are done.")
            await self._write(self.plane.registry.remove, name, revision.revision)
            await self.plane.residency.leave(revision.public_name)
            return {"adapter": name, "revision": revision.revision, "deleted": True}

        return await self._audited(who, "delete", {"adapter": name, "revision": prefix}, action)

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

    async def _warm(self, revision: Revision) -> None:
        """Load before the change, so that nobody waits after it."""
        await (await self.plane.residency.acquire(revision)).release()

    async def _write(self, operation: Callable[..., Any], *arguments: Any) -> None:
        await asyncio.to_thread(operation, *arguments)
        await self.plane.refresh()

    async def _audited(self, who: str, action: str, what: dict[str, Any], run: Callable[[], Any]) -> dict[str, Any]:
        try:
            async with self._changing:
                result: dict[str, Any] = await run()
        except RegistryError as error:
            if isinstance(error, Refused) and action == "register":
                self.plane.metrics.refusals.labels(error.check).inc()
            self.audit.write(who, action, what, str(error))
            raise from_registry(error) from error
        except ServerError as error:
            self.audit.write(who, action, what, error.message)
            raise
        except BaseException as error:
            self.audit.write(who, action, what, f"failed: {type(error).__name__}")
            raise
        self.audit.write(who, action, {**what, **result}, "ok")
        return result

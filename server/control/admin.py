"""The admin actions: register, switch, split, roll back, pin, delete. Each is checked, done, followed, then audited."""

import asyncio
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from adapters.registry.contents import Taken
from adapters.registry.errors import Conflict
from adapters.registry.state import Weights
from server.auth.audit import Audit
from server.control.actions import Actions
from server.control.canary_actions import CanaryActions
from server.control.plane import Plane
from server.control.registering import Registering
from server.control.resolve import resolve_weights


class Admin:
    """`base`: the base's public name, which no adapter may take."""

    def __init__(self, plane: Plane, audit: Audit, base: str) -> None:
        self.plane = plane
        self.audit = audit
        self._actions = Actions(plane, audit)
        self._registering = Registering(self._actions, base)
        self.canaries = CanaryActions(self._actions)
        self._pinning = asyncio.Lock()

    async def register(self, who: str, name: str, fetch: Callable[[Path], Taken]) -> dict[str, Any]:
        """`fetch` fills a staging folder and says where the adapter lies in it. Raises ServerError."""
        return await self._registering.register(who, name, fetch)

    async def route(self, who: str, name: str, weights: Weights, seen: Collection[str] | None = None) -> dict[str, Any]:
        """Switch (one revision) or split. Full names or unambiguous prefixes. Raises ServerError.

        `seen`: only if the alias has one of these tags.
        """

        async def action() -> dict[str, Any]:
            adapter = self.plane.catalogue.adapter(name)
            wanted = resolve_weights(adapter, weights)
            chosen = {revision.revision: weight for revision, weight in wanted.values()}
            for revision, _ in wanted.values():
                await self._actions.warm(revision)
            await self._actions.write(self.plane.registry.switch, name, chosen, seen)
            self.plane.metrics.switched(name, chosen)
            return {"adapter": name, "weights": chosen}

        return await self._actions.audited(who, "route", {"adapter": name, "weights": weights}, action)

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
            await self._actions.write(self.plane.registry.rollback, name, judged, bad, seen)
            self.plane.watch.forget(name)
            if self.plane.canaries.end(name):
                self.plane.metrics.canary(name, "rolled_back")
            weights = self.plane.catalogue.adapter(name).weights
            self.plane.metrics.rolled_back(name, left - weights.keys(), reason)
            return {"adapter": name, "weights": weights}

        return await self._actions.audited(who, "rollback", {"adapter": name, "reason": reason}, action)

    async def pin(self, who: str, name: str, prefix: str | None, keep: bool) -> dict[str, Any]:
        """Keep a revision (by default what the alias means) resident, or no longer. Raises ServerError."""

        async def action() -> dict[str, Any]:
            adapter = self.plane.catalogue.adapter(name)
            named = {adapter.find(prefix).revision} if prefix else set(adapter.weights if keep else adapter.pinned)
            wanted = sum(len(a.pinned) for a in self.plane.catalogue.adapters.values()) + len(named - adapter.pinned)
            if keep and wanted > self.plane.residency.room_for_pins:
                raise Conflict(self._no_room(wanted))
            for revision in named if keep else ():
                await self._actions.warm(adapter.revisions[revision])
            await self._actions.write(self.plane.registry.pin, name, sorted(named), keep)
            return {"adapter": name, "pinned": sorted(self.plane.catalogue.adapter(name).pinned)}

        async with self._pinning:  # two at a time would both find the last room
            return await self._actions.audited(
                who, "pin" if keep else "unpin", {"adapter": name, "revision": prefix}, action
            )

    async def remove(self, who: str, name: str, prefix: str) -> dict[str, Any]:
        """Delete a revision that no alias names and no request uses. Raises ServerError."""

        async def action() -> dict[str, Any]:
            revision = self.plane.catalogue.adapter(name).find(prefix)
            if self.plane.residency.in_use(revision.public_name):
                raise Conflict(f"{revision.public_name} is answering requests; try again when they are done.")
            await self._actions.write(self.plane.registry.remove, name, revision.revision)
            await self.plane.lanes.registry(self.plane.checks.proofs.forget, revision.revision)
            await self.plane.residency.leave(revision.public_name)
            return {"adapter": name, "revision": revision.revision, "deleted": True}

        return await self._actions.audited(who, "delete", {"adapter": name, "revision": prefix}, action)

    async def retire(self, who: str, name: str) -> dict[str, Any]:
        """Delete an adapter with all of its revisions, unless requests use one. Raises ServerError."""

        async def action() -> dict[str, Any]:
            revisions = list(self.plane.catalogue.adapter(name).revisions.values())
            used = [revision for revision in revisions if self.plane.residency.in_use(revision.public_name)]
            if used:
                raise Conflict(f"{used[0].public_name} is answering requests; try again when they are done.")
            await self._actions.write(self.plane.registry.retire, name)
            for revision in revisions:
                await self.plane.lanes.registry(self.plane.checks.proofs.forget, revision.revision)
                await self.plane.residency.leave(revision.public_name)
            return {"adapter": name, "deleted": True}

        return await self._actions.audited(who, "retire", {"adapter": name}, action)

    def _no_room(self, wanted: int) -> str:
        room, slots = self.plane.residency.room_for_pins, self.plane.residency.seats.slots
        return (
            f"{wanted} revisions would be pinned, and this server keeps at most {room}: it has {slots} slots, "
            "and one stays free for all other adapters. Unpin one, or start it with more SERVER_MAX_LORAS."
        )

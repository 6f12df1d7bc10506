"""Begins a canary, moves it on, ends it: each step is a switch like an operator's, audited under `server`."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from adapters.registry.errors import Conflict
from server.control.actions import Actions
from server.control.canary import Canary, Plan
from server.control.resolve import resolve_weights

OURSELVES = "server"


@dataclass(frozen=True)
class CanaryActions:
    """On this server; the registry knows its steps as splits."""

    actions: Actions

    async def begin(
        self, who: str, name: str, prefix: str, wanted: dict[str, Any], seen: Collection[str] | None = None
    ) -> dict[str, Any]:
        """`wanted`: Plan's fields beside `revision` and `stable`. Raises ServerError."""
        plane = self.actions.plane

        async def action() -> dict[str, Any]:
            adapter = plane.catalogue.adapter(name)
            revision = adapter.find(prefix)
            if not adapter.weights:
                raise Conflict(f"Adapter {name!r} serves nothing that a canary could be held against: switch instead.")
            if revision.revision in adapter.weights:
                raise Conflict(f"Revision {revision.revision} serves already.")
            plan = Plan(revision.revision, dict(adapter.weights), **wanted)
            resolve_weights(adapter, {**plan.stable, plan.revision: 1.0})
            await self.actions.warm(revision)
            await self._switch(name, plan.weights(0), {adapter.tag} if seen is None else seen)
            canary = plane.canaries.begin(name, plan)
            plane.metrics.canary(name, "begun")
            return {"adapter": name, "weights": plan.weights(0), "canary": show(canary)}

        return await self.actions.audited(who, "canary", {"adapter": name, "revision": prefix}, action)

    async def advance(self, name: str, canary: Canary, seen: str) -> None:
        """The next step, if the alias still has the tag `seen`. Raises ServerError."""
        plane, weights = self.actions.plane, canary.plan.weights(canary.step + 1)

        async def action() -> dict[str, Any]:
            await self._switch(name, weights, {seen})
            return {"adapter": name, "weights": weights}

        try:
            await self.actions.audited(OURSELVES, "canary", {"adapter": name, "revision": canary.plan.revision}, action)
        except BaseException:
            plane.canaries.end(name)  # what it stands on is another's decision now
            raise
        canary.advance()
        done = len(weights) == 1
        plane.metrics.canary(name, "completed" if done else "advanced")
        if done:
            plane.canaries.end(name)

    async def _switch(self, name: str, weights: dict[str, float], seen: Collection[str]) -> None:
        plane = self.actions.plane
        await self.actions.write(plane.registry.switch, name, weights, seen)
        plane.metrics.switched(name, weights)


def show(canary: Canary | None) -> dict[str, Any] | None:
    """What the admin routes say of it."""
    if canary is None:
        return None
    sides = {"new": canary.new, "others": canary.old}
    judged = {
        name: {"answers": side.answers, "failed": side.failed, "invalid": side.invalid, "token_seconds_p95": side.pace}
        for name, side in sides.items()
    }
    plan = canary.plan
    return {
        "revision": plan.revision, "share": plan.steps[canary.step], "steps": list(plan.steps), "answers": plan.answers,
        "worse": plan.worse, "slower": plan.slower, "judged": judged,
    }  # fmt: skip

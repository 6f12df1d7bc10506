"""Registering a revision: fetched, checked, proved by the engine, published."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.registry.contents import Taken
from adapters.registry.digest import content_digest, revision_name
from adapters.registry.errors import Refused
from adapters.registry.validate import Checked, check_content, check_header
from server.control.actions import Actions


@dataclass
class Registering:
    """`base`: the base's public name, which no adapter may take."""

    actions: Actions
    base: str

    def __post_init__(self) -> None:
        # The engine has room for one adapter more than the residency counts on.
        self._probing = asyncio.Lock()

    async def register(self, who: str, name: str, fetch: Callable[[Path], Taken]) -> dict[str, Any]:
        """`fetch` fills a staging folder and says where the adapter lies in it. Raises ServerError."""

        lanes = self.actions.plane.lanes

        async def action() -> dict[str, Any]:
            if name == self.base:
                raise Refused("name", f"{name!r} is the base model's name.")
            with self.actions.plane.registry.staging() as staging:
                taken = await lanes.fetch(fetch, staging)
                folder = taken.folder
                checked = await lanes.check(self._check, folder)
                async with self._probing:
                    probe = f"probe@{staging.name[-12:]}"
                    proved = await self.actions.plane.checks.prober.prove_staged(folder, checked.manifest, probe)
                async with self.actions.changing:
                    revision, new = await lanes.registry(self.actions.plane.registry.register, name, folder)
                    await lanes.registry(self.actions.plane.checks.proofs.note, revision)
                    await self.actions.follow()
            checks = ["config", "base", f"tensors ({checked.modules} modules)", "values", "digest", *proved]
            return {
                "adapter": name,
                "revision": revision,
                "new": new,
                "checks": checks,
                "left_out": list(taken.left_out),
            }

        return await self.actions.audited(who, "register", {"adapter": name}, action)

    def _check(self, folder: Path) -> Checked:
        checked = check_header(folder, self.actions.plane.reader.rules)
        check_content(folder, checked.manifest, revision_name(content_digest(folder)))
        return checked

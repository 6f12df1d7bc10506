"""What every admin action is made of: one change at a time, followed by this server, written down who did it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapters.registry.catalogue import Revision
from adapters.registry.errors import Refused, RegistryError
from server.auth.audit import Audit
from server.control.plane import Plane
from server.errors import ServerError, Unavailable, from_registry


@dataclass
class Actions:
    """Shared by those who change the registry on this server."""

    plane: Plane
    audit: Audit

    def __post_init__(self) -> None:
        # One change at a time here; between servers the registry's own lock decides. What takes long (fetching,
        # probing, loading) stays outside: a rollback must not wait for another adapter's download.
        self.changing = asyncio.Lock()

    async def warm(self, revision: Revision) -> None:
        """Load before a change, so that nobody waits after it. Not held: two changes could block each other."""
        try:
            async with asyncio.timeout(self.plane.admission_seconds):
                await (await self.plane.residency.acquire(revision)).release()
        except TimeoutError as error:
            text = f"{revision.public_name} could not be loaded within {self.plane.admission_seconds:g} s."
            raise Unavailable(text, 5) from error

    async def write(self, operation: Callable[..., Any], *arguments: Any) -> None:
        """One of the registry's operations and what follows here. Raises RegistryError, OSError, Unavailable."""
        async with self.changing:
            await self.plane.lanes.registry(operation, *arguments)
            await self.follow()

    async def follow(self) -> None:
        """Serve what was written. Raises Unavailable where it cannot be read back: it does not serve yet."""
        if not await self.plane.refresh():
            text = f"The change is written, but this server cannot read the registry: {self.plane.trouble}"
            raise Unavailable(text, 5)

    async def audited(self, who: str, action: str, what: dict[str, Any], run: Callable[[], Any]) -> dict[str, Any]:
        """What `run` gives, whatever becomes of it written to the audit log. Raises ServerError."""
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

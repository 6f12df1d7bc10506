"""An adapter in the engine's memory, or on its way there."""

import asyncio
from dataclasses import dataclass

from adapters.registry.catalogue import Revision


@dataclass(eq=False)
class Entry:
    """`placed`: it has one of the places, of `charge` bytes; `queued`: it waits for one, since `since`.

    `draining`: it is to make room and takes no new requests. `ahead`: how popular it is beside what it was asked, while
    it is loaded for nobody but who may come; None once somebody has come. `foreseen`: loaded so, and not yet asked.
    """

    revision: Revision
    task: asyncio.Task[None] | None = None
    leases: int = 0
    leaving: bool = False
    placed: bool = False
    charge: int = 0
    queued: bool = False
    since: float = 0.0
    draining: bool = False
    ahead: float | None = None
    foreseen: bool = False

    @property
    def name(self) -> str:
        """As the engine knows it."""
        return self.revision.public_name

    @property
    def loaded(self) -> bool:
        """Whether it can answer."""
        return self.task is not None and self.task.done() and not self.task.cancelled() and not self.task.exception()

    @property
    def free(self) -> bool:
        """Whether it is loaded and nobody asks it."""
        return self.leases == 0 and self.loaded

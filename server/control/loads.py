"""Loads into the engine and out of it: each in a task of its own, a failed one leaves nothing behind."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from adapters.registry.catalogue import Revision
from server.control.engine import LoraEngine
from server.control.entry import Entry
from server.control.observer import Observer
from server.control.places import Places

Check = Callable[[Revision], Awaitable[None]]
log = logging.getLogger("server.residency")


@dataclass
class Loads:
    """`verify` runs before a revision's load, `prove` after it, each may refuse. `settle`: told when one has ended."""

    engine: LoraEngine
    places: Places
    entries: OrderedDict[str, Entry]
    verify: Check
    prove: Check
    observer: Observer
    settle: Callable[[Entry], Coroutine[Any, Any, None]]
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)  # asyncio itself keeps them weakly

    def start(self, entry: Entry) -> asyncio.Task[None]:
        """Load it, once there is a place."""
        return self._start(self._load(entry))

    async def unload(self, entry: Entry, reason: str) -> None:
        """Out of the engine; it has left the entries already."""
        self.observer.evicted(entry.revision, reason)
        await self.engine.unload(entry.name)

    def drop(self, entry: Entry) -> None:
        """Out of the entries, if it is there."""
        if self.entries.get(entry.name) is entry:
            del self.entries[entry.name]

    async def _load(self, entry: Entry) -> None:
        loaded = False
        try:
            await self.verify(entry.revision)
            await self.places.take(entry)
            started = time.perf_counter()
            await self.engine.load(entry.name, entry.revision.folder)
            loaded, seconds = True, time.perf_counter() - started
            await self.prove(entry.revision)
            self.observer.loaded(entry.revision, seconds)
        except BaseException as error:
            await self._undo(entry, loaded)
            if not isinstance(error, asyncio.CancelledError):
                self.observer.failed(entry.revision, error)
            raise
        entry.foreseen, entry.ahead = entry.ahead is not None, None
        if entry.name in self.places.pinned:
            await self._pin_loaded(entry.name)
        # Whoever waits for a place may take this one, if all who asked for it have gone away meanwhile.
        asyncio.get_running_loop().call_soon(lambda: self._start(self.settle(entry)))

    async def _undo(self, entry: Entry, loaded: bool) -> None:
        """Leave nothing of a load that failed: no entry, no place, nothing in the engine."""
        self.drop(entry)
        try:
            if loaded:
                await self.engine.unload(entry.name)
        except Exception as error:
            log.error("%s could not be unloaded: %s", entry.name, type(error).__name__)
        finally:
            self.places.give(entry)

    async def _pin_loaded(self, name: str) -> None:
        try:
            await self.engine.pin(name)
        except Exception as error:
            # It answers all the same, from whatever slot it gets.
            log.error("%s could not be pinned: %s", name, type(error).__name__)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # A failed load that nobody waits for any longer is known already: no warning of asyncio's about it.
            task.exception()

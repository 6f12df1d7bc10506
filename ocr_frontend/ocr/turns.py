"""Whose turn it is when a reader becomes free: people before jobs, and each key as often as every other."""

import asyncio
from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """Things of a kind, one waiter each. For one event loop."""

    def __init__(self) -> None:
        self._free: deque[T] = deque()
        self._people: OrderedDict[str, deque[asyncio.Future[T]]] = OrderedDict()
        self._jobs: OrderedDict[str, deque[asyncio.Future[T]]] = OrderedDict()

    @property
    def free(self) -> int:
        """Things that nobody holds."""
        return len(self._free)

    @property
    def waiting(self) -> int:
        """People and jobs in the queue."""
        return sum(len(line) for lines in (self._people, self._jobs) for line in lines.values())

    @property
    def people(self) -> int:
        """People in the queue."""
        return sum(len(line) for line in self._people.values())

    def waiting_of(self, key: str) -> int:
        """People of one key in the queue."""
        return len(self._people.get(key, ()))

    def keys_with(self, key: str) -> int:
        """Keys in the queue of people, this one among them."""
        return len(self._people.keys() | {key})

    async def take(self, key: str, background: bool) -> T:
        """The next free thing; give it back with `give`. A cancelled waiter leaves the queue and loses nothing."""
        if self._free and not self.waiting:
            return self._free.popleft()
        lines = self._jobs if background else self._people
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        lines.setdefault(key, deque()).append(future)
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.give(future.result())
            else:
                self._forget(lines, key, future)
            raise

    def give(self, thing: T) -> None:
        """A thing is free: it goes to whose turn it is."""
        for lines in (self._people, self._jobs):
            while lines:
                key, line = lines.popitem(last=False)
                future = line.popleft()
                if line:
                    lines[key] = line  # to the end of the round
                if not future.done():
                    future.set_result(thing)
                    return
        self._free.append(thing)

    @staticmethod
    def _forget(lines: "OrderedDict[str, deque[asyncio.Future[T]]]", key: str, future: "asyncio.Future[T]") -> None:
        line = lines.get(key)
        if line is not None and future in line:
            line.remove(future)
            if not line:
                del lines[key]

"""Whose turn it is when a reader becomes free: people before jobs, and each key as often as every other.

Turns are counted: the key that had the fewest goes first, and one that comes back has as many as those who waited. (To
go round in a circle instead gave a key that came while another one was read two of that one's reads to wait for.) A key
with more people waiting than another pays a little more for a turn: whoever sends little is to wait at most twice as
long as alone, and a running read cannot be interrupted.
"""

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")
_CROWD = 0.25  # of a turn, that a key pays more where another one has fewer waiting


class Queue(Generic[T]):
    """Who waits, by key; a turn is given to one of them at a time."""

    def __init__(self) -> None:
        self.lines: dict[str, deque[T]] = {}
        self._turns: dict[str, float] = {}
        self._least = 0.0  # turns that those who wait have had at least

    def __len__(self) -> int:
        return sum(len(line) for line in self.lines.values())

    def add(self, key: str, waiter: T) -> None:
        """Behind the key's others."""
        if key not in self.lines:
            self._turns[key] = max(self._turns.get(key, 0.0), self._least)
        self.lines.setdefault(key, deque()).append(waiter)

    def remove(self, key: str, waiter: T) -> None:
        """Who does not wait any more; nothing happens where it is not there."""
        line = self.lines.get(key)
        if line is not None and waiter in line:
            line.remove(waiter)
            if not line:
                del self.lines[key]

    def take(self) -> T | None:
        """The next one; None where nobody waits."""
        if not self.lines:
            return None
        key = min(self.lines, key=self._turns.__getitem__)
        line = self.lines[key]
        crowd = any(len(other) < len(line) for other in self.lines.values())
        self._least = max(self._least, self._turns[key])
        self._turns[key] += 1 + _CROWD * crowd
        waiter = line.popleft()
        if not line:
            del self.lines[key]
        self._turns = {one: had for one, had in self._turns.items() if one in self.lines or had > self._least}
        return waiter


class Turns(Generic[T]):
    """Things of a kind, one waiter each. For one event loop."""

    def __init__(self) -> None:
        self._free: deque[T] = deque()
        self._people: Queue[asyncio.Future[T]] = Queue()
        self._jobs: Queue[asyncio.Future[T]] = Queue()

    @property
    def free(self) -> int:
        """Things that nobody holds."""
        return len(self._free)

    @property
    def waiting(self) -> int:
        """People and jobs in the queue."""
        return len(self._people) + len(self._jobs)

    @property
    def people(self) -> int:
        """People in the queue."""
        return len(self._people)

    def waiting_of(self, key: str) -> int:
        """People of one key in the queue."""
        return len(self._people.lines.get(key, ()))

    def keys_with(self, key: str) -> int:
        """Keys in the queue of people, this one among them."""
        return len(self._people.lines.keys() | {key})

    async def take(self, key: str, background: bool) -> T:
        """The next free thing; give it back with `give`. A cancelled waiter leaves the queue and loses nothing."""
        if self._free and not self.waiting:
            return self._free.popleft()
        lines = self._jobs if background else self._people
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        lines.add(key, future)
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.give(future.result())
            else:
                lines.remove(key, future)
            raise

    def give(self, thing: T) -> None:
        """A thing is free: it goes to whose turn it is."""
        for lines in (self._people, self._jobs):
            while (future := lines.take()) is not None:
                if not future.done():
                    future.set_result(thing)
                    return
        self._free.append(thing)

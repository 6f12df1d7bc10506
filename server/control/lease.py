"""The right to ask one revision: while somebody has it, the revision stays loaded."""

from collections.abc import Awaitable, Callable

from server.control.entry import Entry
from server.control.seats import Seats


class Lease:
    """Until `release`. `give_back`: told of its end."""

    def __init__(self, entry: Entry, seats: Seats, give_back: Callable[[Entry], Awaitable[None]]) -> None:
        self._entry: Entry | None = entry
        self._seats = seats
        self._give_back = give_back
        self._seated = False

    async def sit(self) -> None:
        """Wait until this revision may be in a batch beside those that are."""
        if self._entry is not None and not self._seated:
            await self._seats.take(self._entry.name)
            self._seated = True

    async def release(self) -> None:
        """Give it back; a second call does nothing."""
        entry, self._entry = self._entry, None
        if entry is not None:
            if self._seated:
                self._seats.give(entry.name)
            await self._give_back(entry)

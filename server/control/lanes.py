"""Threads for what blocks, each kind of its own: six slow downloads must not hold up a rollback.

asyncio's default pool has six threads on two cores, and vLLM's own shutdown waits for it as well.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from server.errors import TooMany, Unavailable

_P = ParamSpec("_P")
_T = TypeVar("_T")
_REGISTRY_THREADS = 3  # one writer, and readers beside it
_CHECK_THREADS = 2  # reading all weights of a revision
_RETRY_SECONDS = 10.0


class Lanes:
    """`downloads` run at a time and `waiting` behind them; each may take `seconds`."""

    def __init__(self, downloads: int, waiting: int, seconds: float) -> None:
        self._registry = ThreadPoolExecutor(_REGISTRY_THREADS, "registry")
        self._checks = ThreadPoolExecutor(_CHECK_THREADS, "checks")
        self._turns = asyncio.Semaphore(downloads)
        self._most = downloads + waiting
        self._seconds = seconds
        self._fetching = 0

    async def registry(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Short work on the registry folder."""
        return await asyncio.get_running_loop().run_in_executor(self._registry, lambda: work(*args, **kwargs))

    async def check(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Work that reads whole files."""
        return await asyncio.get_running_loop().run_in_executor(self._checks, lambda: work(*args, **kwargs))

    async def fetch(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """A download. Raises TooMany when too many wait already, Unavailable when it takes too long."""
        if self._fetching >= self._most:
            raise TooMany("This server is fetching as many revisions as it may.", _RETRY_SECONDS)
        self._fetching += 1
        try:
            async with asyncio.timeout(self._seconds), self._turns:
                return await _in_thread(lambda: work(*args, **kwargs))
        except TimeoutError as error:
            text = f"The revision could not be fetched within {self._seconds:.0f} s."
            raise Unavailable(text, _RETRY_SECONDS) from error
        finally:
            self._fetching -= 1


async def _in_thread(work: Callable[[], _T]) -> _T:
    """In a thread that nobody waits for: what hangs in a dead connection must neither keep a place nor the exit."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_T] = loop.create_future()

    def report(result: Any, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)

    def run() -> None:
        result: Any = None
        failed: BaseException | None = None
        try:
            result = work()
        except BaseException as error:
            failed = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(report, result, failed)

    threading.Thread(target=run, name="fetch", daemon=True).start()
    return await done

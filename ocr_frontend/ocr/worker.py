"""One reader in one thread of its own, which a process that ends does not wait for."""

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any, Generic, TypeVar

from ocr_frontend.ocr.reader import Reader

T = TypeVar("T")


class _Task(Generic[T]):
    def __init__(self, work: Callable[[], T]) -> None:
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[T] = self.loop.create_future()
        self._work, self._context = work, copy_context()

    def run(self) -> None:
        try:
            result = self._context.run(self._work)
        except BaseException as error:
            self._tell(self.future.set_exception, error)
        else:
            self._tell(self.future.set_result, result)

    def _tell(self, setter: Callable[[Any], None], value: Any) -> None:
        def tell() -> None:
            if not self.future.done():
                setter(value)

        with suppress(RuntimeError):  # the loop is closed: nobody is there to be told
            self.loop.call_soon_threadsafe(tell)


class Worker:
    """`reader` is set by whoever opened it. `read` counts the reads begun, to tell a stuck one apart."""

    def __init__(self, name: str) -> None:
        self._tasks: queue.SimpleQueue[_Task[Any] | None] = queue.SimpleQueue()
        self.reader: Reader | None = None
        self.read = 0
        self.gone = False
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def submit(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        """Run it in the thread, after what was given before. The future belongs to the running loop."""
        task = _Task(work)
        self._tasks.put(task)
        return task.future

    def leave(self) -> None:
        """End the thread when it comes back; nothing waits for that."""
        self.gone = True
        self._tasks.put(None)

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            task.run()
            del task  # with it the picture's bytes

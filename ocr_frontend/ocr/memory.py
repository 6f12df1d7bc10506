"""Memory that pictures take while they are decoded, shared by all readers."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ocr_frontend.ocr.cancellation import check

_LOOK = 0.2  # seconds between two looks at whether anybody still waits


class Gate:
    """total: bytes for all pictures at once. One picture that takes more than all of it goes in alone."""

    def __init__(self, total: int) -> None:
        self._total, self._used = total, 0
        self._changed = threading.Condition()

    @property
    def used(self) -> int:
        """Bytes held now."""
        return self._used

    @contextmanager
    def hold(self, needed: int) -> Iterator[None]:
        """Wait in this thread until there is room. Raises Stopped when nobody waits for the picture any more."""
        with self._changed:
            while self._used and self._used + needed > self._total:
                check()
                self._changed.wait(_LOOK)
            self._used += needed
        try:
            yield
        finally:
            with self._changed:
                self._used -= needed
                self._changed.notify_all()

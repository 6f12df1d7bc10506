"""What a process and all that it started take of the memory together, at most."""

import contextlib
import threading
from pathlib import Path

import psutil

_EVERY = 1.0  # seconds


class Peak:
    """`with Peak(pid) as peak:` watches the tree below `pid`; `peak.bytes` afterwards. `itself`: count `pid` as well.

    Shared pages count once over all processes (PSS); where the kernel does not tell, as often as they are mapped.
    """

    def __init__(self, pid: int, itself: bool = True) -> None:
        self.bytes = 0
        self._root, self._itself = psutil.Process(pid), itself
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def now(self) -> int:
        """At this moment, bytes; 0 when the process is gone."""
        with contextlib.suppress(psutil.Error):
            first = [self._root] if self._itself else []
            return sum(_share(process) for process in [*first, *self._root.children(recursive=True)])
        return 0

    def _watch(self) -> None:
        while True:
            self.bytes = max(self.bytes, self.now())
            if self._over.wait(_EVERY):
                return


def _share(process: psutil.Process) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0

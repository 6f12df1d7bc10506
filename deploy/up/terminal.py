"""Ctrl-C for us alone.

A terminal sends it to every process of the foreground group, `make` included, and make then reports an interrupted
recipe however cleanly we stop. So we take a group of our own to the foreground, as a shell does for a job.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def foreground() -> Iterator[None]:
    """Hold the terminal's foreground inside; does nothing without a terminal or in the background."""
    try:
        terminal = sys.stdin.fileno()
        before = os.tcgetpgrp(terminal)
    except (OSError, ValueError):
        yield
        return
    if before != os.getpgrp() or before == os.getpid():
        yield
        return
    # Changing the foreground group from outside it stops a process that does not ignore this signal.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(terminal, os.getpid())
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.tcsetpgrp(terminal, before)

"""Processes that a test run started and that outlive it, wherever they went: they carry the run's mark."""

import contextlib
import os
import time
import uuid

import psutil

_MARK = "CNI_TEST_RUN"
_GRACE = 5.0  # seconds for what is just ending
# Python's own helpers: they end with the process that they help.
_HELPERS = ("multiprocessing.resource_tracker", "multiprocessing.forkserver", "resource_sharer")


def mark_run() -> str:
    """Give this process, and so whatever it starts from now on, a mark of its own."""
    os.environ[_MARK] = uuid.uuid4().hex
    return os.environ[_MARK]


def end_leftovers(mark: str) -> list[str]:
    """End what bears the mark and is not this process; the command lines of those that did not end by themselves."""
    deadline = time.monotonic() + _GRACE
    while (left := _marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.1)
    named = [f"{process.pid} {_command(process)}" for process in left]
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, timeout=_GRACE)
    return named


def _marked(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if (
                process.pid != os.getpid()
                and process.status() != psutil.STATUS_ZOMBIE
                and process.environ().get(_MARK) == mark
                and not any(helper in _command(process) for helper in _HELPERS)
            ):
                found.append(process)
    return found


def _command(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())[:120]
    return "?"

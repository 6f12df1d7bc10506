"""For every test: cheap ones first, a stop is clean, nothing outlives the run, what is left out is counted."""

import json
import os
import shutil
import signal
import tempfile
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.support.leftovers import end_leftovers, mark_run
from tests.support.run import COUNTS

_HERE = Path(__file__).resolve().parent
# Cheap ones first, so that a mistake shows early; of those on two processes the longest file first, so that both end
# together. Each room of engines ends them before the next one starts its own; what `make up` serves comes last, since
# two rooms share it and its last test presses Ctrl-C. The longest match counts.
_ROOMS = (
    "unit", "integration/test_new_document_walk.py", "e2e/training", "e2e/up", "integration", "e2e/front",
    "gpu", "e2e/cpu_lora", "e2e/drafts", "e2e/server", "e2e/cluster", "e2e", "e2e/monitoring", "e2e/test_whole_path.py",
)  # fmt: skip
_OUTCOMES = ("failed", "error", "passed", "skipped", "xfailed", "xpassed")
_MARK = pytest.StashKey[str]()
_SESSION = pytest.StashKey[pytest.Session]()
_LEFT = pytest.StashKey[list[str]]()
_DATA = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """SIGTERM ends a run as Ctrl-C does, fixtures and all; Ctrl-C works even where a shell's `&` turned it off."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, lambda *_: _stop(config))
    config.stash[_MARK] = mark_run()
    # Whoever names no registry folder, here or in a process that a test starts, has one of this run, not the user's.
    os.environ["XDG_DATA_HOME"] = config.stash[_DATA] = tempfile.mkdtemp(prefix="cni-tests-")
    os.environ.pop("SERVER_ADAPTERS_DIR", None)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The run's own registry goes with it."""
    if _DATA in config.stash:
        shutil.rmtree(config.stash[_DATA], ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """For the signal's handler."""
    session.config.stash[_SESSION] = session


def _stop(config: pytest.Config) -> None:
    """A library may swallow the exception; then no further test begins."""
    if _SESSION in config.stash:
        config.stash[_SESSION].shouldstop = "SIGTERM"
    raise KeyboardInterrupt("SIGTERM")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """By room, whatever the order on the command line; inside a room as written."""
    items.sort(key=_room)


def _room(item: pytest.Item) -> int:
    where = f"{item.path.relative_to(_HERE).as_posix()}/" if item.path.is_relative_to(_HERE) else ""
    return max(range(len(_ROOMS)), key=lambda place: len(_ROOMS[place]) * where.startswith(f"{_ROOMS[place]}/"))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """After every fixture's end: what still runs is ended, named, and fails the run."""
    left = session.config.stash[_LEFT] = end_leftovers(session.config.stash[_MARK])
    if left and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The last lines before pytest's own: processes that were left behind, tests that were left out."""
    for process in config.stash.get(_LEFT, []):
        terminalreporter.write_line(f"left behind by a test, ended now: {process}", red=True)
    reasons = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", ()))
    if reasons:
        named = "; ".join(f"{count} {reason}" for reason, count in reasons.most_common())
        terminalreporter.write_line(f"left out: {named}", yellow=True)
    if COUNTS in os.environ:
        counted = {what: len(found) for what in _OUTCOMES if (found := terminalreporter.stats.get(what))}
        Path(os.environ[COUNTS]).write_text(json.dumps(counted))


def _reason(report: object) -> str:
    where = getattr(report, "longrepr", None)
    return str(where[2]).removeprefix("Skipped: ") if isinstance(where, tuple) else "for no reason given"

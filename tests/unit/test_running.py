"""How the suite runs: what is missing is named, a stop is clean, what is left behind is ended and fails the run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from tests.conftest import pytest_collection_modifyitems
from tests.support import tools

ROOT = Path(__file__).resolve().parents[2]


def _run(folder: Path, source: str) -> "subprocess.Popen[str]":
    """Pytest over one file with the hooks of this suite, SIGINT ignored as under a shell's `&`."""
    (folder / "test_inner.py").write_text(source)
    pytest_command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    command = [*pytest_command, "--rootdir", folder, "-c", os.devnull, folder / "test_inner.py"]
    ignoring = ["bash", "-c", 'trap "" INT; exec "$@"', "-", *command]
    return subprocess.Popen(ignoring, cwd=ROOT, text=True, stdout=subprocess.PIPE)


def test_a_process_that_outlives_the_run_is_ended_and_fails_it(tmp_path: Path) -> None:
    run = _run(
        tmp_path,
        "import subprocess, sys\n"
        "def test_it():\n"
        "    child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
        f"    open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n",
    )
    said, _ = run.communicate(timeout=60)
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, said
    assert "left behind by a test, ended now" in said and "1 passed" in said
    pid = int((tmp_path / "pid").read_text())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_what_is_left_out_is_counted_by_name(tmp_path: Path) -> None:
    run = _run(
        tmp_path,
        "import pytest\n"
        "from tests.support import tools\n"
        "@pytest.mark.parametrize('number', range(3))\n"
        "def test_it(number, monkeypatch):\n"
        "    monkeypatch.setattr(tools, 'find', lambda name: None)\n"
        "    tools.need('chromium')\n",
    )
    said, _ = run.communicate(timeout=60)
    assert run.returncode == 0, said
    assert "left out: 3 need chromium (apt-get install chromium)" in said.splitlines()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_with_its_fixtures(tmp_path: Path, signum: signal.Signals) -> None:
    began, ended = tmp_path / "began", tmp_path / "ended"
    run = _run(
        tmp_path,
        "import pathlib, pytest, time\n"
        "@pytest.fixture\n"
        "def engine():\n"
        "    yield\n"
        f"    pathlib.Path({str(ended)!r}).touch()\n"
        "def test_it(engine):\n"
        f"    pathlib.Path({str(began)!r}).touch()\n"
        "    time.sleep(600)\n",
    )
    deadline = time.monotonic() + 60
    while not began.exists():
        assert time.monotonic() < deadline and run.poll() is None
        time.sleep(0.05)
    run.send_signal(signum)
    said, _ = run.communicate(timeout=60)
    assert run.returncode == pytest.ExitCode.INTERRUPTED, said
    assert ended.exists()


def test_cheap_tests_come_first_and_engines_one_room_at_a_time() -> None:
    files = [
        "unit/test_structure.py", "integration/test_calibrate.py", "e2e/server/test_a.py", "e2e/server/test_b.py",
        "e2e/own/test_own_adapter.py", "e2e/monitoring/test_monitoring_live.py", "e2e/test_whole_path.py",
    ]  # fmt: skip
    items: list[Any] = [SimpleNamespace(path=ROOT / "tests" / file) for file in reversed(files)]
    pytest_collection_modifyitems(items)
    rooms = [item.path.relative_to(ROOT / "tests").as_posix() for item in items]
    assert [file for file in rooms if "server" not in file] == [file for file in files if "server" not in file]
    assert rooms.index("e2e/server/test_b.py") + 1 == rooms.index("e2e/server/test_a.py"), "a room's order is kept"


def test_without_root_it_says_at_once_which_command_to_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tools, "find", lambda name: None if name in {"promtool", "chromium"} else "/bin/true")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert tools.main() == 0
    said = capsys.readouterr().out
    assert "promtool, chromium not found, so these are left out: the alert rules, the page." in said
    assert "    sudo apt-get install -y -qq --no-install-recommends chromium libtcmalloc-minimal4 prometheus\n" in said


def test_as_root_a_package_that_cannot_be_had_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\n[ $1 = update ] && exit 0\necho 'E: Unable to locate package chromium' >&2\nexit 100\n")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setattr(tools, "find", lambda name: None if name == "chromium" else "/bin/true")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert tools.main() == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == (
        "make test: apt-get could not install them (E: Unable to locate package chromium), "
        "so these are left out: the page."
    )

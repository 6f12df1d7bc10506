"""vLLM's temporary files lie in a folder of the server's own, which goes when no process of that server is left."""

import fcntl
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server import scratch

# As the launcher does: claim, then become another program. That one says where its temporary files go, and waits.
LAUNCH = """
import os, sys
from server import scratch
environment = {**os.environ, **scratch.environment(scratch.claim(), os.environ)}
os.execve(sys.executable, [sys.executable, "-c", sys.argv[1]], environment)
"""
SERVE = "import tempfile; print(tempfile.gettempdir(), flush=True); input()"
LEAVE = f"import atexit; from server import scratch; atexit.register(scratch.release); {SERVE}"


@contextmanager
def started(base: Path, program: str = SERVE) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """The process, and the folder that its temporary files go to."""
    environment = {**os.environ, "TMPDIR": str(base), "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    words = [sys.executable, "-c", LAUNCH, program]
    with subprocess.Popen(
        words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


@pytest.fixture
def base() -> Iterator[Path]:
    """A short path, as a socket's has to be."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_what_is_executed_has_a_private_folder_of_its_own(base: Path) -> None:
    with started(base) as (_, one), started(base) as (_, two):
        assert one.parent == two.parent == base and one != two
        assert stat.S_IMODE(one.stat().st_mode) == 0o700


def test_a_running_servers_folder_stays_and_a_killed_ones_goes_at_the_next_start(base: Path) -> None:
    with started(base) as (killed, gone):
        (gone / "socket").touch()
        killed.kill()
        killed.wait()
        assert gone.is_dir()
        with started(base) as (_, one), started(base) as (_, two):
            assert sorted(base.iterdir()) == sorted([one, two])


def test_a_server_that_ends_takes_its_folder_along(base: Path) -> None:
    with started(base, LEAVE) as (process, folder):
        (folder / "left").mkdir()
        process.communicate("\n", timeout=20)
        assert process.returncode == 0 and list(base.iterdir()) == []


def test_only_folders_of_servers_are_swept(base: Path) -> None:
    (base / "cni-server-other").mkdir()
    (base / "else").mkdir()
    (base / "cni-server-link").symlink_to(base / "else")
    (base / "cni-server-file").touch()
    held = os.open(base / "else", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_SH)
    scratch.sweep(base)
    os.close(held)
    assert {path.name for path in base.iterdir()} == {"else", "cni-server-link", "cni-server-file"}


def test_there_is_none_where_its_sockets_had_too_long_a_path(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = base / ("x" * 80)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    assert scratch.claim() is None and list(long.iterdir()) == []
    assert scratch.environment(None, {}) == {}


def test_what_torch_compiled_stays_where_it_was(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(base))
    kept = scratch.environment(base / "own", {})["TORCHINDUCTOR_CACHE_DIR"]
    assert Path(kept).parent == base
    assert scratch.environment(base / "own", {"TORCHINDUCTOR_CACHE_DIR": "/mine"})["TORCHINDUCTOR_CACHE_DIR"] == "/mine"


def test_a_process_with_the_common_folder_removes_nothing(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(base))
    scratch.release()
    assert base.is_dir()

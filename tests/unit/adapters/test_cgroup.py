"""A container's memory limit counts, whichever group above it has one."""

from pathlib import Path

import psutil
import pytest

from adapters.cgroup import available_memory

GIB = 1 << 30


def _group(folder: Path, limit: str, used: int, droppable: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file {droppable}\n")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own"
    path.write_text("0::/pods/server\n")
    return path


def test_the_limit_less_what_is_used(tmp_path: Path, own: Path) -> None:
    _group(tmp_path / "c/pods/server", str(4 << 20), 1 << 20, droppable=512 << 10)
    assert available_memory(tmp_path / "c", own) == (3 << 20) + (512 << 10)


def test_a_group_above_may_be_tighter(tmp_path: Path, own: Path) -> None:
    _group(tmp_path / "c/pods/server", "max", 1 << 20)
    _group(tmp_path / "c/pods", str(2 << 20), 1 << 20)
    assert available_memory(tmp_path / "c", own) == 1 << 20


def test_in_a_container_the_mount_is_the_own_group(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("0::/\n")
    _group(tmp_path / "c", str(5 << 20), 0)
    assert available_memory(tmp_path / "c", tmp_path / "own") == 5 << 20


def test_over_the_limit_is_nothing(tmp_path: Path, own: Path) -> None:
    _group(tmp_path / "c/pods/server", "1000", 4000)
    assert available_memory(tmp_path / "c", own) == 0


@pytest.mark.parametrize("text", ["0::/pods/server\n", "12:memory:/x\n", ""])
def test_without_a_limit_it_is_the_machines(tmp_path: Path, text: str) -> None:
    (tmp_path / "own").write_text(text)
    assert available_memory(tmp_path / "none", tmp_path / "own") == pytest.approx(
        psutil.virtual_memory().available, abs=4 * GIB
    )

"""A container's memory limit counts, whichever group above it has one."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from adapters.cgroup import available_memory, cpu_quota, memory_limit, usable_cores

GIB = 1 << 30
ROOT = Path(__file__).resolve().parents[3]


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


def test_the_tightest_group_is_the_limit(tmp_path: Path, own: Path) -> None:
    assert memory_limit(tmp_path / "c", own) is None
    _group(tmp_path / "c/pods/server", str(3 << 20), 1 << 20)
    _group(tmp_path / "c/pods", str(2 << 20), 1 << 20)
    _group(tmp_path / "c", "max", 1 << 20)
    assert memory_limit(tmp_path / "c", own) == 2 << 20


def test_the_older_kind_of_group_says_no_limit_by_a_large_number(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("5:memory:/pod\n")
    for folder, limit in (("c/memory/pod", 1 << 62), ("c/memory", 6 << 20)):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "memory.limit_in_bytes").write_text(f"{limit}\n")
    assert memory_limit(tmp_path / "c", tmp_path / "own") == 6 << 20


def test_over_the_limit_is_nothing(tmp_path: Path, own: Path) -> None:
    _group(tmp_path / "c/pods/server", "1000", 4000)
    assert available_memory(tmp_path / "c", own) == 0


@pytest.mark.parametrize("text", ["0::/pods/server\n", "12:memory:/x\n", ""])
def test_without_a_limit_it_is_the_machines(tmp_path: Path, text: str) -> None:
    (tmp_path / "own").write_text(text)
    assert available_memory(tmp_path / "none", tmp_path / "own") == pytest.approx(
        psutil.virtual_memory().available, abs=4 * GIB
    )


@pytest.mark.parametrize(
    ("text", "quota"), [("250000 100000", 2.5), ("max 100000", None), ("50000 100000", 0.5), ("-1 100000", None)]
)
def test_the_quota_is_cores_of_time(tmp_path: Path, own: Path, text: str, quota: float | None) -> None:
    (tmp_path / "c/pods/server").mkdir(parents=True)
    (tmp_path / "c/pods/server/cpu.max").write_text(f"{text}\n")
    assert cpu_quota(tmp_path / "c", own) == quota


@pytest.mark.parametrize(
    ("text", "cores"), [("250000 100000", 2), ("50000 100000", 1), ("900000 100000", 8), ("max 1", 8)]
)
def test_cores_are_those_given_as_far_as_the_quota_goes(
    tmp_path: Path, own: Path, text: str, cores: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    (tmp_path / "c/pods/server").mkdir(parents=True)
    (tmp_path / "c/pods/server/cpu.max").write_text(f"{text}\n")
    assert usable_cores(tmp_path / "c", own) == cores


def test_the_module_needs_nothing_installed() -> None:
    """`make up` asks it before anything is."""
    code = "import sys, adapters.cgroup; print({'psutil', 'pydantic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "set()"


def test_the_tightest_quota_of_all_groups_counts(tmp_path: Path, own: Path) -> None:
    (tmp_path / "c/pods/server").mkdir(parents=True)
    (tmp_path / "c/pods/server/cpu.max").write_text("400000 100000\n")
    (tmp_path / "c/pods/cpu.max").write_text("200000 100000\n")
    assert cpu_quota(tmp_path / "c", own) == 2


def test_the_older_kernel_interface_limits_too(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("5:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n")
    memory, cpu = tmp_path / "c/memory", tmp_path / "c/cpu"
    memory.mkdir(parents=True), cpu.mkdir()
    (memory / "memory.limit_in_bytes").write_text(str(5 << 20))
    (memory / "memory.usage_in_bytes").write_text(str(2 << 20))
    (memory / "memory.stat").write_text(f"total_inactive_file {1 << 20}\n")
    (cpu / "cpu.cfs_quota_us").write_text("150000\n")
    (cpu / "cpu.cfs_period_us").write_text("100000\n")
    assert available_memory(tmp_path / "c", tmp_path / "own") == 4 << 20
    assert cpu_quota(tmp_path / "c", tmp_path / "own") == 1.5
    (memory / "memory.limit_in_bytes").write_text("9223372036854771712")
    assert available_memory(tmp_path / "c", tmp_path / "own") > 5 << 20

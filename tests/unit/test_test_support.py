"""What `make test` says at its end: memory of a whole tree of processes, and the sum of its stages."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.harness.peak import Peak

_TAKES = 64 << 20


def test_the_peak_counts_what_a_process_started() -> None:
    code = f"import time; kept = bytearray(b'x') * {_TAKES}; print(len(kept), flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None and child.stdout.readline()
            with Peak(os.getpid()) as peak:
                pass
        finally:
            child.kill()
    assert peak.bytes > _TAKES


def test_a_run_ends_with_memory_and_counts_and_pytests_answer(tmp_path: Path) -> None:
    (tmp_path / "test_two.py").write_text("def test_a():\n    pass\n\ndef test_b():\n    assert False\n")
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.run", str(tmp_path), "-q", "-p", "tests.conftest"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    memory, counts = done.stdout.splitlines()[-2:]
    assert memory.startswith("peak memory of all test processes together: ")
    assert "= 1 failed, 1 passed in " in counts

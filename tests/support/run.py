"""`make test`: what needs no engine on two processes, then engines one after another; one sum at the end.

    python -m tests.support.run [pytest's arguments]     with arguments: one pytest with these

The last lines say how much memory all of it took together at most, and, as pytest does, what passed and what did not.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from types import FrameType

from benchmarks.harness.peak import Peak

# Where conftest.py writes how many tests passed, failed, …, when a stage is over.
COUNTS = "CNI_TEST_COUNTS"
_SLOWEST = ("--durations=12", "--durations-min=5")
_NO_ENGINE = ("tests/e2e/training", "tests/e2e/up", "tests/e2e/front")
_STAGES = (
    ["tests/unit", "-n", "2", "-q", *_SLOWEST],
    # By file, since a reader or a server starts once a file; in our order, which has the longest first.
    ["tests/integration", *_NO_ENGINE, "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "-q", *_SLOWEST],
    ["tests/e2e", "tests/gpu", *(f"--ignore={room}" for room in _NO_ENGINE), *_SLOWEST],
)
_STOPPED = (2, -signal.SIGTERM, -signal.SIGINT)  # what pytest answers when it was interrupted


def main() -> int:
    """0 when nothing failed, else pytest's first answer that is not 0."""
    began, counts, codes = time.monotonic(), Counter[str](), list[int]()
    with tempfile.TemporaryDirectory() as folder, Peak(os.getpid()) as peak:
        for stage in [sys.argv[1:]] if sys.argv[1:] else _STAGES:
            written = Path(folder) / "counts.json"
            codes.append(_pytest(stage, written))
            counts += Counter(json.loads(written.read_text()) if written.exists() else {})
            if codes[-1] in _STOPPED:
                break
    seconds = time.monotonic() - began
    print(f"peak memory of all test processes together: {peak.bytes / 2**30:.1f} GiB")
    told = ", ".join(f"{count} {what}" for what, count in counts.items()) or "no tests ran"
    print(f" {told} in {seconds:.2f}s ({timedelta(seconds=int(seconds))}) ".center(80, "="))
    return next((code for code in codes if code), 0)


def _pytest(arguments: list[str], counts: Path) -> int:
    """Its exit code. SIGTERM and Ctrl-C end it first, fixtures and all."""
    counts.unlink(missing_ok=True)
    process = subprocess.Popen([sys.executable, "-m", "pytest", *arguments], env={**os.environ, COUNTS: str(counts)})

    def pass_on(number: int, _: FrameType | None) -> None:
        process.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        return process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main())

"""Programs that some tests need and Python packages do not bring: found, installed where that is allowed, or named.

    python -m tests.support.tools     installs what is missing with apt-get as root; elsewhere says which command does

It never fails: what is missing is left out of the run, by name (tests/conftest.py).
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_NO_WAIT = 180  # seconds for another apt-get to end


@dataclass(frozen=True)
class Tool:
    """A program under any of its names, and the Debian package that has it. `proves`: what is not tested without it."""

    names: tuple[str, ...]
    package: str
    proves: str


TOOLS = {
    "promtool": Tool(("promtool",), "prometheus", "the alert rules"),
    "prometheus": Tool(("prometheus",), "prometheus", "the boards' queries"),
    "chromium": Tool(("chromium", "chromium-browser", "google-chrome"), "chromium", "the page"),
    "postgres": Tool(("initdb", "pg_ctlcluster"), "postgresql", "jobs that several fronts share"),
    "g++": Tool(("g++",), "g++", "the compiled kernels"),
}


def find(name: str) -> str | None:
    """Where a program is: beside this Python (a package brought it), else on the PATH."""
    beside = str(Path(sys.executable).parent)
    return next(
        (found for one in TOOLS[name].names if (found := shutil.which(one, path=beside) or shutil.which(one))), None
    )


def need(name: str) -> str:
    """Where a program is; without it the test is left out and counted under this name."""
    import pytest

    found = find(name)
    if found is None:
        pytest.skip(f"need {name} (apt-get install {TOOLS[name].package})")
    return found


def missing() -> dict[str, Tool]:
    """What is not on this machine."""
    return {name: tool for name, tool in TOOLS.items() if find(name) is None}


def main() -> int:
    """Install or say what to install; 0."""
    absent = missing()
    if not absent:
        return 0
    packages = sorted({tool.package for tool in absent.values()} | {"libtcmalloc-minimal4"})
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    untested = ", ".join(sorted({tool.proves for tool in absent.values()}))
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(
            f"make test: {', '.join(absent)} not found, so these are left out: {untested}. To test them too:\n"
            f"    sudo {' '.join(command)}",
            flush=True,
        )
        return 0
    print(f"- installing {' '.join(packages)} …", flush=True)
    wait = ["-o", f"DPkg::Lock::Timeout={_NO_WAIT}"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update", "-qq", *wait], [*command, *wait]):
        done = subprocess.run(step, env=environment, capture_output=True, text=True, check=False)
        if done.returncode and step[1] == "install":
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            print(f"make test: apt-get could not install them ({reason}), so these are left out: {untested}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

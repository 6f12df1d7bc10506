"""The services of `make up`, started once for all tests that ask for them, as a person would: in a terminal.

Fixtures that hold an engine are of a package or a module, never of the session: one ends before the next one starts.
"""

import os
import pty
import re
import select
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 900  # a first start on two busy cores: environments, base model, both services


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Up:
    """A running `make up` in a pseudo-terminal."""

    process: "subprocess.Popen[bytes]"
    terminal: int
    output: str = ""

    def read_until(self, pattern: str, seconds: float) -> "re.Match[str]":
        """Wait for `pattern` in what the terminal shows. Fails with all of it when it does not come."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.output)):
            assert time.monotonic() < deadline, f"{pattern!r} did not come in {seconds} s:\n{self.output}"
            if not self._read():
                assert re.search(pattern, self.output), f"make up ended:\n{self.output}"
        return found

    def _read(self) -> bool:
        """Take what is there; False at the end."""
        if not select.select([self.terminal], [], [], 1.0)[0]:
            return True
        try:
            data = os.read(self.terminal, 65536)
        except OSError:  # the other side is closed
            return False
        self.output += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)

    def ctrl_c(self) -> int:
        """Press it and wait for the exit code."""
        os.write(self.terminal, b"\x03")
        while self._read():
            pass
        return self.process.wait(120)


def start_up(**environment: str) -> Up:
    """`make up` in a terminal of its own."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        # A session of its own whose controlling terminal is standard input: Ctrl-C then means something.
        ["setsid", "--ctty", "--wait", "make", "up"],
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, **environment},
    )
    os.close(theirs)
    return Up(process, ours)


@dataclass(frozen=True)
class Services:
    """Where the two listen, what the terminal showed, and the printed curl line."""

    server: str
    front: str
    curl: list[str]
    up: Up


@pytest.fixture(scope="package")
def services() -> Iterator[Services]:
    """Both services with the embedded base and the shipped adapter."""
    ports = {"SERVER_PORT": str(free_port()), "FRONT_PORT": str(free_port())}
    up = start_up(**ports, SERVER_KV_CACHE_GIB="1")
    try:
        curl = up.read_until(r"(?m)^ +(curl .+)$", _START_SECONDS).group(1)
        up.read_until("Ctrl-C stops both", 30)
        server, front = (f"http://127.0.0.1:{ports[name]}" for name in ("SERVER_PORT", "FRONT_PORT"))
        yield Services(server, front, shlex.split(curl.strip()), up)
    finally:
        if up.process.poll() is None:
            assert up.ctrl_c() == 0, up.output

"""A front and its model server as child processes of a benchmark: started, watched, killed, ended."""

import io
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx
import psutil

from adapters.data.cards import PLAIN, draw_card
from adapters.data.documents import DOCUMENT_NAMES

ROOT = Path(__file__).resolve().parents[2]
SEED = 7171
_START_SECONDS = 300.0
_GRACE = 60.0


@dataclass
class Child:
    """One service in a process group of its own. `url`: where it listens."""

    name: str
    command: list[str]
    url: str
    environment: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> Self:
        """Start it; what it prints is thrown away."""
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, start_new_session=True, env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return self

    def wait_ready(self) -> float:
        """Seconds until `/ready` says 200. Raises RuntimeError when it ends first or takes minutes."""
        begun = time.monotonic()
        while time.monotonic() - begun < _START_SECONDS:
            if self.process is None or self.process.poll() is not None:
                raise RuntimeError(f"The {self.name} ended while starting: {shlex.join(self.command)}")
            try:
                if httpx.get(f"{self.url}/ready", timeout=5).status_code == 200:
                    return time.monotonic() - begun
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        raise RuntimeError(f"The {self.name} was not ready within {_START_SECONDS:g} s.")

    def kill(self) -> None:
        """As a crash would: the whole group, at once."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ask the first process to end, and wait; it ends its own children."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self.kill()

    def resident_mib(self) -> float:
        """Resident memory of it and its children."""
        assert self.process is not None
        first = psutil.Process(self.process.pid)
        return float(sum(one.memory_info().rss for one in (first, *first.children(recursive=True)))) / 2**20


def model_server(port: int, command: str | None, seconds: float) -> Child:
    """`command` starts a real one on `port`; without it the stand-in."""
    stand_in = [sys.executable, "-m", "benchmarks.front.stand_in", "--port", str(port), "--seconds", str(seconds)]
    return Child("model server", shlex.split(command) if command else stand_in, f"http://127.0.0.1:{port}")


def front(port: int, server: Child, **settings: str) -> Child:
    """The front's own environment where there is one, else this one."""
    python = ROOT / ".venv-front/bin/python"
    command = [str(python if python.exists() else sys.executable), "-m", "ocr_frontend"]
    given = {"PORT": str(port), "SERVER_URL": server.url} | settings
    return Child(
        "front", command, f"http://127.0.0.1:{port}", {f"OCR_FRONT_{name}": value for name, value in given.items()}
    )


@contextmanager
def running(*children: Child) -> Iterator[None]:
    """Started in order and ready; ended in the end, however that comes."""
    try:
        for child in children:
            child.start()
            child.wait_ready()
        yield
    finally:
        for child in reversed(children):
            child.stop()


def cards(count: int) -> list[tuple[str, bytes]]:
    """(document, JPEG): the four documents in turn, clean and photographed by turns."""
    drawn: list[tuple[str, bytes]] = []
    for index in range(count):
        document = DOCUMENT_NAMES[index % len(DOCUMENT_NAMES)]
        condition = PLAIN[index // len(DOCUMENT_NAMES) % len(PLAIN)]
        buffer = io.BytesIO()
        draw_card(SEED, index, "test", document, condition).card.image.save(buffer, "JPEG", quality=92)
        drawn.append((document, buffer.getvalue()))
    return drawn

"""Servers under measurement: started, waited for, asked over HTTP, ended."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from benchmarks.harness.interrupts import interruptible

_START_SECONDS = 300


def server_command(base: str | Path, adapters: str | Path, port: int, *options: str) -> list[str]:
    """Our model server with this Python: `base` a folder of weights, `adapters` a registry's."""
    named = ("--model", str(base), "--adapters-dir", str(adapters), "--port", str(port))
    return [sys.executable, "-m", "server", *named, *options]


@contextlib.contextmanager
def running(command: Sequence[str], port: int, environment: Mapping[str, str], health: str) -> Iterator[str]:
    """The address of `command`'s server once `health` answers 200; RuntimeError with its last output otherwise, and
    where somebody else listens there: his answers would be measured."""
    url = f"http://127.0.0.1:{port}"
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise RuntimeError(f"Port {port} is taken: end what listens there, or name another one with --port.")
    with interruptible(), tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=log, stderr=subprocess.STDOUT)
        try:
            _wait(url + health, process, log.fileno())
            yield url
        finally:
            process.terminate()
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url, timeout=5).status_code == 200:
                return
        time.sleep(0.5)
    size = os.fstat(log).st_size
    last = os.pread(log, 1500, max(0, size - 1500)).decode(errors="replace")
    raise RuntimeError(f"no answer from {url}; its last output:\n{last}")


def ask(url: str, bodies: Sequence[dict[str, Any]]) -> tuple[float, int]:
    """Seconds until all completion requests, sent at once, were answered, and how many tokens that made together."""

    def one(body: dict[str, Any]) -> int:
        answer = client.post(f"{url}/v1/completions", json={"temperature": 0, **body})
        answer.raise_for_status()
        return int(answer.json()["usage"]["completion_tokens"])

    limits = httpx.Limits(max_connections=len(bodies))
    with httpx.Client(timeout=1800, limits=limits) as client, ThreadPoolExecutor(len(bodies)) as pool:
        begun = time.perf_counter()
        tokens = sum(pool.map(one, bodies))
        return time.perf_counter() - begun, tokens


class Prompts:
    """Prompts of `length` token ids: a beginning of `fixed` that all share, as ours have, then never the same again.

    What follows begins with the prompt's number, so that no cache finds a longer beginning, or the whole, once more.
    """

    def __init__(self, length: int, seed: int, fixed: int = 64) -> None:
        self._length, self._fixed, self._next = length, fixed, seed * 100_000

    def take(self, count: int) -> list[list[int]]:
        """The next `count`."""
        first, self._next = self._next, self._next + count
        return [self._prompt(number) for number in range(first, first + count)]

    def _prompt(self, number: int) -> list[int]:
        varied = [17 + (number * 7919 + place * 104_729) % 400 for place in range(self._length - self._fixed)]
        varied[:3] = [17 + number // 400**place % 400 for place in range(3)][: len(varied)]
        return [17 + place % 200 for place in range(self._fixed)] + varied


def registry(folder: Path, adapter: Path) -> Path:
    """A registry for our server that holds `adapter`, a folder as PEFT writes it, under the name `bench`."""
    made = folder / "registry"
    (made / "bench").mkdir(parents=True)
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copy(adapter / name, made / "bench" / name)
    return made

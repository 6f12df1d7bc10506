"""A real server in processes of its own, for tests over HTTP."""

import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import httpx

START_SECONDS = 480


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LiveServer:
    """`python -m server` with settings by environment. `boss`, `front` and `prometheus` are its keys."""

    def __init__(self, url: str, folder: Path, environment: dict[str, str]) -> None:
        self.url = url
        self.root = Path(environment["SERVER_ADAPTERS_DIR"])
        self.log = folder / "server.log"
        self.environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it is ready. The log's end is in the error when it never is."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "server"],
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.url}/ready", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        self.kill()
        raise AssertionError(
            f"{self.url} was not ready within {START_SECONDS} s; the end of its log:\n"
            + self.log.read_text(errors="replace")[-3000:]
        )

    def terminate(self) -> None:
        """SIGTERM to the first process alone."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> int:
        """Its exit code."""
        assert self._process is not None
        return self._process.wait(seconds)

    def stop(self) -> None:
        """SIGTERM, then SIGKILL to what does not end; for a fixture's end, where the server may be gone already."""
        if self._process is not None and self._process.poll() is None:
            self.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(30)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to all of its processes, by their session; its children too where the first one is gone."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(30)

    def client(self, key: str = "front") -> httpx.Client:
        """Synchronous."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=120)

    def asynchronous(self, key: str = "front") -> httpx.AsyncClient:
        """Asynchronous."""
        limits = httpx.Limits(max_connections=64)
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=120, limits=limits)

    def complete(self, model: str, prompt: str = "hello", **more: Any) -> dict[str, Any]:
        """One greedy completion."""
        body = {"model": model, "prompt": prompt, "max_tokens": 8, "temperature": 0, **more}
        with self.client() as client:
            answer = client.post("/v1/completions", json=body)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result

    def follow(self, names: set[str]) -> None:
        """Wait until it has seen adapters that were put into its folder."""
        deadline = time.monotonic() + 30
        with self.client("boss") as client:
            while missing := names - {adapter["name"] for adapter in client.get("/v1/adapters").json()["data"]}:
                assert time.monotonic() < deadline, f"not seen in the folder: {missing}"
                time.sleep(0.1)

    def upload(self, name: str, folder: Path) -> str:
        """Register a revision; its name."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            for path in folder.iterdir():
                archive.add(path, path.name)
        with self.client("boss") as client:
            answer = client.post(f"/v1/adapters/{name}/revisions", files={"file": ("a.tgz", buffer.getvalue())})
        assert answer.status_code in {200, 201}, answer.text
        return str(answer.json()["revision"])

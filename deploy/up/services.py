"""The two services as child processes: started, watched until ready, ended in order."""

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deploy.up.plan import Refusal

_LOOK_EVERY = 0.25  # seconds
_LAST_LINES = 5
_GRACE = 60.0  # seconds for a service to end by itself: it drains what is running


@dataclass
class Service:
    """One child process in a group of its own, so that the terminal's Ctrl-C reaches it only through us."""

    name: str
    command: list[str]
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it, with its output in its log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self.environment},
            )

    @property
    def running(self) -> bool:
        """Whether its first process lives."""
        return self.process is not None and self.process.poll() is None

    def ask_to_stop(self) -> None:
        """SIGTERM alone; `stop` waits for what it brings."""
        if self.process is not None and self.running:
            self.process.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Ask the first process to end and wait; it ends its own children. Only what outlasts the grace is killed."""
        if self.process is None or not self.running:
            return
        self.ask_to_stop()
        try:
            self.process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def end_children(self) -> None:
        """Kill what a first process that was killed left behind: its group bears its number."""
        if self.process is not None and not self.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def last_words(self) -> str:
        """The last lines of its log, for the person who must find out why it ended."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-_LAST_LINES:])


def wait_ready(service: Service, url: str, say: Callable[[str], None]) -> None:
    """Until `url` answers 200. Raises Refusal when the service ends first."""
    while True:
        if not service.running:
            raise Refusal(f"The {service.name} ended while starting; its log is {service.log}:\n{service.last_words()}")
        status, detail = _ask(url)
        if status == 200:
            return
        say(detail)
        time.sleep(_LOOK_EVERY)


def _ask(url: str) -> tuple[int, str]:
    """Status (0: no answer yet) and what it says it is waiting for."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status, ""
    except urllib.error.HTTPError as error:
        return error.code, _reason(error.read())
    except (urllib.error.URLError, OSError):
        return 0, "loading"


def _reason(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["message"])[:80]
    except (ValueError, KeyError, TypeError):
        return "not ready yet"

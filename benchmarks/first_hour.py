"""The first hour of somebody new: both commands from a fresh clone in an empty home with an empty cache.

    python -m benchmarks.first_hour                    as you; `up` or `test` alone: --only up
    python -m benchmarks.first_hour --user nobody      as somebody else, who may install nothing (needs root)

Writes the rows of docs/results/first-hour.json. `make up` lasts until its curl line is printed; the line is then sent
as it stands, and its answer held against what is printed on the card. Ports 8000 and 8080 must be free.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pwd
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adapters.provenance import stamp
from benchmarks.harness.frame import say
from benchmarks.harness.interrupts import interruptible
from benchmarks.harness.peak import Peak

RESULT = Path("docs/results/first-hour.json")
# What is printed on docs/sample-2018-recto.jpg.
PRINTED = {
    "nom_surname": "NZENGESSI",
    "prenom_given_name": "REBECCA",
    "date_of_birth": "21.12.1978",
    "lieu_of_birth": "YINGUI",
    "sex": "M",
    "taille": 1.5,
    "profession": "ENTRAÎNEUR",
}
_WAITS = 1800  # seconds for `make up`
_FAILED = re.compile(r"^(?:FAILED|ERROR) .*$", re.MULTILINE)
_PASSED = re.compile(r"^=+ (?P<counts>.*) in [\d.]+s .*=+$", re.MULTILINE)
# Where an index of packages and its certificates are is the machine's, not the home's.
_KEPT = re.compile(r"LANG|TZ|PIP_.*|UV_.*INDEX.*|UV_FIND_LINKS|SSL_.*|REQUESTS_CA_BUNDLE|.*_proxy", re.IGNORECASE)


def main() -> int:
    """1 when a command failed or the answer was wrong."""
    args = _parser().parse_args()
    said = stamp()
    with interruptible(), tempfile.TemporaryDirectory(dir=args.folder) as folder:
        newcomer = Newcomer(args.user, Path(folder))
        steps = {"up": newcomer.up, "test": newcomer.test, "check": newcomer.check}
        rows = [steps[command]() for command in args.only]
    _write(rows, said)
    print(json.dumps(rows), flush=True)
    return 0 if all(row.pop("right") for row in rows) else 1


class Newcomer:
    """A fresh clone below `folder`, with an empty home beside it, of `user` or of us."""

    def __init__(self, user: str | None, folder: Path) -> None:
        self._as, self._home, self._clone = user, folder / "home", folder / "cni-lora-server"
        self._home.mkdir()
        subprocess.run(["git", "clone", "-q", ".", str(self._clone)], check=True)
        if user:
            folder.chmod(0o755)
            for path in (self._home, self._clone, *self._clone.rglob("*")):
                shutil.chown(path, user)

    def up(self) -> dict[str, Any]:
        """Until the curl line; then the line's answer."""
        began, log = time.monotonic(), self._home / "up.log"
        with self._running(["make", "up"], log) as (process, peak):
            line = self._printed(process, log)
            seconds = time.monotonic() - began
            got = _sent(line) if line else {}
        right = got.get("data") == PRINTED
        ended = "the curl line, answered right" if right else "the curl line, answered wrong" if line else _last(log)
        return self._row("make up", seconds, peak, ended, right)

    def test(self) -> dict[str, Any]:
        """The whole suite."""
        return self._tests("make test")

    def check(self) -> dict[str, Any]:
        """Style, types and unit tests."""
        return self._tests("make check")

    def _tests(self, command: str) -> dict[str, Any]:
        began, log = time.monotonic(), self._home / "test.log"
        with self._running(command.split(), log) as (process, peak):
            code = process.wait()
        counts, failed = _PASSED.findall(log.read_text()), _FAILED.findall(log.read_text())
        for line in failed:
            say(line)
        return self._row(command, time.monotonic() - began, peak, counts[-1] if counts else _last(log), code == 0)

    @contextlib.contextmanager
    def _running(self, command: list[str], log: Path) -> Iterator[tuple[subprocess.Popen[bytes], Peak]]:
        """Ended with the block, its memory watched throughout."""
        with log.open("w") as out:
            process = self._run(command, out)
            try:
                with Peak(process.pid) as peak:
                    yield process, peak
            finally:
                _end(process)

    def _run(self, command: list[str], out: Any) -> subprocess.Popen[bytes]:
        ours = str(Path.home())
        path = [one for one in os.environ["PATH"].split(":") if not (self._as and one.startswith(ours))]
        kept = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
        return subprocess.Popen(
            command, cwd=self._clone, stdout=out, stderr=out, start_new_session=True, **self._identity(),
            env={**kept, "PATH": ":".join(path), "HOME": str(self._home)},
        )  # fmt: skip

    def _identity(self) -> dict[str, Any]:
        if not self._as:
            return {}
        return {"user": self._as, "group": pwd.getpwnam(self._as).pw_gid, "extra_groups": []}

    @staticmethod
    def _printed(process: subprocess.Popen[bytes], log: Path) -> str:
        """The curl line; empty when `make up` ended without one."""
        until = time.monotonic() + _WAITS
        while time.monotonic() < until and process.poll() is None:
            if found := re.search(r"^ *(curl .*/v1/extract)$", log.read_text(), re.MULTILINE):
                return found[1]
            time.sleep(0.5)
        return ""

    def _row(self, command: str, seconds: float, peak: Peak, ended: str, right: bool) -> dict[str, Any]:
        say(f"{command}: {seconds:.0f} s, {ended}")
        who = "root" if not self._as and os.geteuid() == 0 else "somebody else"
        return {
            "command": command, "as": who, "seconds": round(seconds), "peak_gib": round(peak.bytes / 2**30, 1),
            "ended": ended, "right": right,
        }  # fmt: skip


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _sent(line: str) -> Any:
    done = subprocess.run(shlex.split(line), capture_output=True, text=True, check=False)
    return json.loads(done.stdout or "{}")


def _last(log: Path) -> str:
    return next((line for line in reversed(log.read_text().splitlines()) if line.strip()), "nothing was said")


def _write(rows: list[dict[str, Any]], said: dict[str, Any]) -> None:
    """Those rows anew, each with its commit; the other ones as they were."""
    before = json.loads(RESULT.read_text())["rows"] if RESULT.exists() else []
    added = [{**{name: row[name] for name in row if name != "right"}, "commit": said["commit"]} for row in rows]
    done = {(row["command"], row["as"]): row for row in [*before, *added]}
    RESULT.write_text(json.dumps({"benchmark": "first_hour", "rows": list(done.values()), **said}, indent=1) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.first_hour",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--user", metavar="NAME", help="somebody else of this machine, who may install nothing")
    several = ("up", "test", "check")
    parser.add_argument("--only", nargs="+", choices=several, default=several[:2], help="make … (default: up test)")
    parser.add_argument("--folder", type=Path, help="where the clone and the home are made (default: the system's)")
    return parser


if __name__ == "__main__":
    sys.exit(main())

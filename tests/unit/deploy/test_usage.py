"""Every command of `deploy` says what it reads, starts nothing for it, and refuses what it does not know."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.up.plan import Refusal, read_plan

ROOT = Path(__file__).resolve().parents[3]
STARTS = {"deploy.up": "up", "deploy.cluster": "cluster", "deploy.monitor": "monitor"}
WRITES = ["deploy.up.dev", "deploy.images.pin", "deploy.capacity", "deploy.kubernetes"]
# What the environment gives every process; not a choice of ours.
_PLAIN = {"PATH"}


def run(module: str, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Where it would start or write something instead, ten seconds are too few or the path leads nowhere."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT, env={**os.environ, "PATH": "/nowhere", **environment},
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip


@pytest.mark.parametrize("module", [*STARTS, *WRITES, "deploy.dashboards"])
def test_help_starts_nothing(module: str) -> None:
    done = run(module, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"python -m {module}" in done.stdout


@pytest.mark.parametrize("module", [*STARTS, *WRITES])
@pytest.mark.parametrize("arguments", [["--port", "9000"], ["9000"], ["--hel"], ["-x"]])
def test_an_unknown_argument_is_one_sentence(module: str, arguments: list[str]) -> None:
    done = run(module, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and repr(arguments[0]) in done.stderr


@pytest.mark.parametrize("module", STARTS)
def test_help_lists_every_variable_that_is_read(module: str) -> None:
    shown = run(module, "--help").stdout
    folder = ROOT / module.replace(".", "/")
    source = "".join(file.read_text() for file in folder.glob("*.py"))
    read = set(re.findall(r'(?:given|environ)(?:\.get\(|\[)"([A-Z_]+)"|read_port\("([A-Z_]+)"', source))
    names = {name for pair in read for name in pair if name} - _PLAIN
    assert names
    assert {name for name in names if not re.search(rf"\b{name}\b", shown)} == set()


@pytest.mark.parametrize("module", STARTS)
@pytest.mark.parametrize("port", ["x", "0", "70000", "-1", "8000.0", "²"])
def test_a_port_that_is_none_is_one_sentence(module: str, port: str) -> None:
    path = os.environ["PATH"]
    done = run(module, SERVER_PORT=port, PATH=path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"make {STARTS[module]}: SERVER_PORT={port} is not a port: give a number from 1 to 65535.\n"


def test_a_device_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEVICE", "tpu")
    with pytest.raises(Refusal, match="DEVICE=tpu is not one of cpu, gpu"):
        read_plan(tmp_path)


def test_a_number_of_watched_servers_that_is_none_is_named() -> None:
    done = run("deploy.monitor", N="three", PATH=os.environ["PATH"])
    assert (done.returncode, done.stderr) == (1, "make monitor: N=three is not a number of servers: make monitor N=3\n")

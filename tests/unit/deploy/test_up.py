"""`make up` refuses in one line before anything long begins, and leaves nothing running."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from deploy.up import environment, preflight
from deploy.up.plan import Plan, Refusal, read_plan
from deploy.up.services import Service, wait_ready

GIB = 1 << 30


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """A plan that every machine can carry out, whatever else runs on it."""
    monkeypatch.setattr(preflight, "_MEMORY_GIB", 0)
    monkeypatch.setattr(preflight, "_DISK_FRESH_GIB", 0)
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        ports = one.getsockname()[1], two.getsockname()[1]
    return Plan(tmp_path, tmp_path / "cache", "embedded", "cpu", *ports, tmp_path / "s", tmp_path / "f")


def _refused(plan: Plan) -> str:
    with pytest.raises(Refusal) as refused:
        preflight.check(plan)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_sound_machine_passes(plan: Plan) -> None:
    preflight.check(plan)


@pytest.mark.parametrize("version", [(3, 10), (3, 13), (4, 0)])
def test_a_wrong_python_is_named_with_the_way_out(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int]
) -> None:
    monkeypatch.setattr(preflight, "sys", SimpleNamespace(version_info=version, platform="linux"))
    assert "make up PYTHON=python3.11" in _refused(plan)


def test_another_system_is_named(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "sys", SimpleNamespace(version_info=(3, 11), platform="darwin"))
    assert "darwin" in _refused(plan)


@pytest.mark.parametrize(("which", "variable"), [("server_port", "SERVER_PORT"), ("front_port", "FRONT_PORT")])
def test_a_busy_port_is_named_with_another_to_choose(plan: Plan, which: str, variable: str) -> None:
    port = getattr(plan, which)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        said = _refused(plan)
    assert f"Port {port}" in said
    assert f"make up {variable}={port + 10}" in said


def test_too_little_memory_is_named(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_MEMORY_GIB", 10**6)
    assert "memory are free and 1000000 are needed" in _refused(plan)


def test_too_little_disk_is_named_with_its_place(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight.shutil, "disk_usage", lambda path: SimpleNamespace(free=GIB))
    monkeypatch.setattr(preflight, "_DISK_FRESH_GIB", 8)
    assert f"Only 1.0 GiB of disk are free at {plan.root} and 8 are needed" in _refused(plan)


def test_a_folder_that_is_no_model_is_named(plan: Plan, tmp_path: Path) -> None:
    wrong = Plan(**{**plan.__dict__, "model": str(tmp_path)})
    assert "no config.json there" in _refused(wrong)


def test_no_network_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "uv"
    fake.write_text("#!/bin/sh\nexit 2\n")
    fake.chmod(0o755)
    monkeypatch.setattr(environment, "find_uv", lambda root: str(fake))
    with pytest.raises(Refusal, match="package index does not answer: check the network"):
        environment.reach_index(tmp_path)


def test_a_failed_installation_says_why_and_is_done_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    lock = tmp_path / "requirements" / "x.lock"
    lock.write_text("nothing==1\n")
    (tmp_path / "pyproject.toml").write_text("")
    fake = tmp_path / "uv"
    fake.write_text('#!/bin/sh\n[ "$1" = venv ] && exit 0\necho "  × No solution found" >&2\nexit 1\n')
    fake.chmod(0o755)
    monkeypatch.setattr(environment, "find_uv", lambda root: str(fake))
    env = tmp_path / "env"
    env.mkdir()
    with pytest.raises(Refusal, match="No solution found"):
        environment.make(tmp_path, env, lock)
    assert not environment.ready(env, lock)


def test_a_changed_lock_makes_the_environment_stale(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "requirements").mkdir()
    lock = tmp_path / "requirements" / "x.lock"
    lock.write_text("one==1\n")
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.setattr(environment, "find_uv", lambda root: "true")
    env = tmp_path / "env"
    env.mkdir()
    environment.make(tmp_path, env, lock)
    assert environment.ready(env, lock)
    lock.write_text("one==2\n")
    assert not environment.ready(env, lock)


def test_torch_comes_from_a_folder_of_wheels_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("UV_FIND_LINKS", raising=False)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert environment.index_options() == ["--torch-backend", "auto"]
    (tmp_path / "torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl").touch()
    assert environment.index_options() == ["--find-links", str(tmp_path)]


def _service(tmp_path: Path, code: str) -> Service:
    return Service("model server", [sys.executable, "-c", code], tmp_path / "logs" / "server.log")


def test_a_service_that_ends_while_starting_shows_its_last_words(tmp_path: Path) -> None:
    service = _service(tmp_path, "print('no such model'); raise SystemExit(3)")
    service.start()
    with pytest.raises(Refusal, match=r"(?s)model server ended while starting.*no such model"):
        wait_ready(service, "http://127.0.0.1:9/ready", lambda text: None)


def test_stopping_ends_the_process_and_what_it_started(tmp_path: Path) -> None:
    code = (
        "import signal, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "def stop(*_): child.terminate(); child.wait(); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    service = _service(tmp_path, code)
    service.start()
    while not (written := service.log.read_text()):
        pass
    service.stop()
    assert not service.running
    with pytest.raises(ProcessLookupError):
        os.kill(int(written), 0)


def test_the_plan_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "MODEL": "/m",
        "DEVICE": "gpu",
        "SERVER_PORT": "1",
        "FRONT_PORT": "2",
        "XDG_CACHE_HOME": "/c",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    plan = read_plan(tmp_path)
    assert (plan.model, plan.device, plan.server_port, plan.front_port) == ("/m", "gpu", 1, 2)
    assert plan.cache == Path("/c")


def test_make_help_lists_every_command() -> None:
    root = Path(__file__).resolve().parents[3]
    shown = subprocess.run(["make", "help"], cwd=root, capture_output=True, text=True, check=True).stdout
    for command in ("up", "test", "lint", "bench", "eval", "train"):
        assert f"make {command} " in shown

"""`make cluster`: what it refuses, what each server may take, and the router's command line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.cluster.plan import cores_of, memory_gib, read_cluster_plan
from deploy.cluster.router import router_command
from deploy.up.plan import Refusal

ROOT = Path(__file__).resolve().parents[3]
GIB = 1 << 30


@pytest.mark.parametrize("given", ["0", "-1", "three", "17"])
def test_a_senseless_number_is_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("N", given)
    with pytest.raises(Refusal, match=f"N={given} is not a number of servers from 1 to 16: make cluster N=3"):
        read_cluster_plan(ROOT)


@pytest.mark.parametrize(("count", "cores"), [(1, 2), (2, 2), (3, 8), (8, 8)])
def test_with_enough_cores_none_is_shared(count: int, cores: int) -> None:
    given = [core for number in range(1, count + 1) for core in cores_of(number, count, list(range(cores)))]
    assert sorted(given) == list(range(cores))


def test_with_too_few_cores_each_server_has_one() -> None:
    assert [cores_of(number, 3, [4, 5]) for number in (1, 2, 3)] == [[4], [5], [4]]


@pytest.mark.parametrize(("gib", "count"), [(24, 3), (24, 1), (2, 3), (0, 16)])
def test_the_servers_share_what_the_front_leaves(gib: int, count: int) -> None:
    each = memory_gib(gib * GIB, count)
    assert 0 < each * count <= max(1.01, gib - 1)


def test_the_routers_key_is_read_or_the_start_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "router_key"
    monkeypatch.setenv("ROUTER_KEY_FILE", str(file))
    with pytest.raises(Refusal, match=r"ROUTER_KEY_FILE=.* cannot be read \(FileNotFoundError\)\."):
        read_cluster_plan(ROOT)
    file.write_text("of-the-router\n")
    assert read_cluster_plan(ROOT).router_key == "of-the-router"
    monkeypatch.delenv("ROUTER_KEY_FILE")
    assert "--api-key" not in router_command(Path("router"), 1, 2, [], read_cluster_plan(ROOT).router_key)


def test_ports_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N", "2")
    monkeypatch.setenv("SERVER_PORT", "8330")
    plan = read_cluster_plan(ROOT)
    assert (plan.router_port, plan.port(1), plan.port(2), plan.metrics_port) == (8330, 8331, 8332, 8333)


def test_the_servers_share_the_folder_that_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SERVER_ADAPTERS_DIR", str(tmp_path / "one"))
    assert read_cluster_plan(ROOT).adapters == tmp_path / "one"
    monkeypatch.setenv("ADAPTERS_DIR", str(tmp_path / "all"))
    assert read_cluster_plan(ROOT).adapters == tmp_path / "all"
    monkeypatch.delenv("SERVER_ADAPTERS_DIR")
    monkeypatch.delenv("ADAPTERS_DIR")
    assert read_cluster_plan(ROOT).up.adapters is None, "found once the server is installed"


def test_the_installed_router_takes_every_option() -> None:
    """With an option that it does not know it would end with 2 and its usage."""
    binary = ROOT / ".venv-router/bin/vllm-router"
    if not binary.exists():
        from deploy.up import environment

        environment.make(ROOT, ROOT / ".venv-router", ROOT / "requirements/router.lock")
    command = router_command(binary, 1, 2, ["http://127.0.0.1:3"], key="of-the-router")
    assert "--policy consistent_hash" in " ".join(command)
    # The argument parser alone: nothing is started.
    code = (
        "import argparse, sys; from vllm_router.router_args import RouterArgs; parser = argparse.ArgumentParser(); "
        "RouterArgs.add_cli_args(parser, use_router_prefix=False); parser.parse_args(sys.argv[1:])"
    )
    python = str(ROOT / ".venv-router/bin/python")
    done = subprocess.run([python, "-c", code, *command[1:]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_busy_port_is_named_before_anything_is_installed(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "deploy.cluster"],
            cwd=ROOT,
            env={**os.environ, "SERVER_PORT": port, "N": "1", "DEVICE": "cpu"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert f"Port {port} for the router is busy" in done.stderr
    assert f"make cluster SERVER_PORT={int(port) + 10}" in done.stderr

"""What `make up` refuses, in one line before anything is loaded: it needs no engine."""

import socket
from pathlib import Path

import pytest

from tests.e2e.conftest import Up, free_port, start_up
from tests.support.checkpoints import write_checkpoint
from tests.support.tiny_models import write_base

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("models") / "Qwen3-0.6B")


def _start(**environment: str) -> Up:
    return start_up(**{"SERVER_PORT": str(free_port()), "FRONT_PORT": str(free_port())} | environment)


def test_a_busy_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = taken.getsockname()[1]
        up = _start(FRONT_PORT=str(busy))
        up.read_until(rf"make up: Port {busy} for the OCR front is busy .*make up FRONT_PORT=", 60)
        assert up.process.wait(30) != 0


def test_a_model_that_is_no_folder() -> None:
    up = _start(MODEL="/nowhere/at/all")
    up.read_until(r"make up: MODEL=/nowhere/at/all is not a model folder", 60)
    assert up.process.wait(30) != 0


def test_too_little_memory(base: Path) -> None:
    up = _start(MODEL=str(base), SERVER_MEMORY_GIB="2")
    up.read_until(r"make up: Qwen3-0\.6B does not fit: of 2\.0 GiB of memory at hand.*GiB more\.", 900)
    assert up.process.wait(30) != 0


def test_an_adapter_of_another_base(base: Path, tmp_path: Path) -> None:
    other = write_checkpoint(tmp_path / "other", base_model_name_or_path="Qwen/Qwen3-1.7B")
    (tmp_path / "registry").mkdir()
    up = _start(MODEL=str(base), ADAPTER=str(other), SERVER_ADAPTERS_DIR=str(tmp_path / "registry"))
    up.read_until(r"make up: ADAPTER=\S+ The adapter is for the base 'Qwen3-1\.7B'.*SAME_BASE=1", 900)
    assert up.process.wait(30) != 0

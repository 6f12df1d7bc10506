"""`make up MODEL= ADAPTER=` with a team's own base, in eight bits; one for all tests here."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import ROOT, Up, free_port, start_up
from tests.support.checkpoints import write_checkpoint
from tests.support.tiny_models import write_base

# What an 8 GB machine has at hand: a setting that stands for the limit.
EIGHT_GB = "6.9"


class Own:
    """A running `make up MODEL= ADAPTER=`."""

    def __init__(self, folder: Path) -> None:
        self.registry = folder / "registry"
        self.registry.mkdir()
        self.base = write_base(folder / "models" / "Qwen3-0.6B")
        self.checkpoint = write_checkpoint(folder / "checkpoint-938")
        # Dropped in as it is: served from where it lies.
        write_checkpoint(self.registry / "dropped-in", seed=5, base_model_name_or_path="Qwen/Qwen3-0.6B")
        ports = {"SERVER_PORT": str(free_port()), "FRONT_PORT": str(free_port())}
        self.log = ROOT / "runs" / "up" / ports["SERVER_PORT"] / "server.log"
        self.server, self.front = (f"http://127.0.0.1:{port}" for port in ports.values())
        self.up: Up = start_up(
            **ports,
            MODEL=str(self.base),
            ADAPTER=str(self.checkpoint),
            BASE_FORM="int8",
            SERVER_ADAPTERS_DIR=str(self.registry),
            SERVER_MEMORY_GIB=EIGHT_GB,
        )
        self.curl = shlex.split(self.up.read_until(r"(?m)^ +(curl .+)$", 900).group(1))
        self.up.read_until("Ctrl-C stops both", 30)

    def means(self) -> dict[str, float]:
        """What the adapter's name means now."""
        shown: dict[str, float] = httpx.get(f"{self.server}/v1/adapters/checkpoint-938").json()["serving"]
        return shown

    def ask(self, model: str) -> dict[str, Any]:
        """A completion."""
        body = {"model": model, "prompt": "hello", "max_tokens": 4, "temperature": 0}
        answer: dict[str, Any] = httpx.post(f"{self.server}/v1/completions", json=body, timeout=120).json()
        return answer


@pytest.fixture(scope="package")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    started = Own(tmp_path_factory.mktemp("own"))
    try:
        yield started
    finally:
        assert started.up.ctrl_c() == 0, started.up.output

"""vLLM's options pass through, except those that this server depends on."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from server.engine_options import parse
from server.launch import plan
from server.machine import Machine
from server.settings import Settings


def test_they_come_last_so_that_they_count() -> None:
    machine = Machine("/python", (0, 1), 16 << 30, False, None, None, frozenset(), Path("/none"))
    given = "--tensor-parallel-size 2 --chat-template '/a path/t.jinja' --max-num-batched-tokens=4096 -O1"
    command = plan(Settings(model="/model", engine_options=given), machine, model_is_folder=True).command
    assert command[-6:] == [
        "--tensor-parallel-size", "2", "--chat-template", "/a path/t.jinja", "--max-num-batched-tokens=4096", "-O1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        "--middleware evil.Open",
        "--middlewar evil.Open",
        "--max_loras 3",
        "--max-lora 3",
        "--host=0.0.0.0",
        "--ho 0.0.0.0",
        "--structured-outputs-config.backend guidance",
        "--no-enable-lora",
        "--config /tmp/all.yaml",
        "--enable-log-requests",
        "x --tensor-parallel-size 2",
        "--chat-template 'open",
    ],
)
def test_what_is_refused_is_named(options: str) -> None:
    with pytest.raises(ValueError, match="engine_options") as refused:
        parse(options)
    assert "\n" not in str(refused.value)
    with pytest.raises(ValidationError):
        Settings(engine_options=options)


@pytest.mark.parametrize(
    "options", ["", "--tool-call-parser hermes --enable-auto-tool-choice", "--reasoning-parser qwen3"]
)
def test_the_rest_is_let_through(options: str) -> None:
    parse(options)


def test_there_is_one_drain_and_it_is_ours() -> None:
    machine = Machine("/python", (0, 1), 16 << 30, False, None, None, frozenset(), Path("/none"))
    command = plan(Settings(model="/model", drain_seconds=600), machine, model_is_folder=True).command
    assert int(command[command.index("--shutdown-timeout") + 1]) <= 5

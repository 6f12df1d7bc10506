"""`adapters push`, and back by `registry add hf://`: a real client against a small hub on loopback."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.small_hub import TOKEN, small_hub
from tests.support.tiny_models import manifest_for, write_adapter, write_base

pytestmark = pytest.mark.slow


def run(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    """`python -m adapters …` with nobody's token."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    return subprocess.run(
        [sys.executable, "-m", "adapters", *map(str, arguments)],
        env={**clean, "HF_HUB_DISABLE_XET": "1", "HF_TOKEN_PATH": "/nowhere", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A base, a registry, and a revision in it."""
    root = tmp_path_factory.mktemp("push")
    base = write_base(root / "tiny-base")
    source = write_adapter(root / "source", seed=1, manifest=manifest_for(base, name="mine"))
    (source / "optimizer.pt").write_bytes(b"no")
    (root / "registry").mkdir()
    added = run("registry", "--registry", root / "registry", "add", "mine", source, "--base", base)
    return base, root / "registry", json.loads(added.stdout)["revision"]


def test_there_and_back(made: tuple[Path, Path, str], tmp_path: Path) -> None:
    base, registry, revision = made
    (tmp_path / "hub").mkdir()
    with small_hub(tmp_path / "hub") as address:
        pushed = run(
            "push", f"mine@{revision}", "acme/mine", "--registry", registry, HF_ENDPOINT=address, HF_TOKEN=TOKEN
        )
        assert pushed.returncode == 0, pushed.stderr
        assert pushed.stdout.startswith(f"{address}/acme/mine/commit/")
        uploaded = {path.name for path in (tmp_path / "hub/acme/mine").iterdir()}
        assert uploaded == {"README.md", "adapter_config.json", "adapter_model.safetensors", "manifest.json"}
        (tmp_path / "other").mkdir()
        back: Any = run(
            "registry", "--registry", tmp_path / "other", "add", "mine", "hf://acme/mine", "--base", base,
            HF_ENDPOINT=address,
        )  # fmt: skip
        assert json.loads(back.stdout)["revision"] == revision


def test_refusals_are_one_sentence(made: tuple[Path, Path, str], tmp_path: Path) -> None:
    _, registry, revision = made
    with small_hub(tmp_path) as address:
        there = {"HF_ENDPOINT": address}
        cases = {
            "does not let you write to acme/mine: set HF_TOKEN": (f"mine@{revision}", "acme/mine", there),
            "is no revision in": ("mine@000000000000", "acme/mine", there),
            "is no name of a repository": (f"mine@{revision}", "a/b/c/d", {**there, "HF_TOKEN": TOKEN}),
        }
        for sentence, (what, where, environment) in cases.items():
            done = run("push", what, where, "--registry", registry, **environment)
            assert done.returncode == 2 and sentence in done.stderr, done.stderr
            assert len(done.stderr.strip().splitlines()) == 1, done.stderr

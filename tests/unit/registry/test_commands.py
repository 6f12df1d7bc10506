"""The command lines of the registry: merge, and the operations on a folder."""

import argparse
import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from adapters.registry import command, merge
from adapters.registry.reader import Reader
from adapters.registry.store import Registry
from adapters.registry.validate import Rules
from tests.support.tiny_models import manifest_for, write_adapter


def call(*words: str) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    command.add_parser(commands)
    merge.add_parser(commands)
    arguments = parser.parse_args(list(words))
    result: int = arguments.run(arguments)
    return result


@pytest.fixture
def filled(tmp_path: Path, base_folder: Path) -> tuple[Path, str, str]:
    registry = Registry(tmp_path / "r")
    registry.root.mkdir()
    staged = [write_adapter(tmp_path / f"a{s}", seed=s, manifest=manifest_for(base_folder)) for s in (1, 2)]
    first, second = (registry.register("cni", folder)[0] for folder in staged)
    return registry.root, first, second


@pytest.mark.parametrize("method", merge.METHODS)
def test_merge_writes_a_revision_that_can_serve(
    filled: tuple[Path, str, str], base_folder: Path, rules: Rules, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root, first, second = filled
    parents = (f"cni@{first}=0.5", f"cni@{second}=0.5")
    made = call(
        "merge", *parents, "--base", str(base_folder), "--registry", str(root), "--name", "blend", "--method", method
    )
    assert made == 0
    (revision,) = Reader(root, rules).read().adapter("blend").revisions.values()
    assert revision.refusal is None and f"blend@{revision.revision}" in capsys.readouterr().out
    assert revision.manifest is not None and revision.manifest.recipe["parents"] == {
        f"cni@{first}": 0.5,
        f"cni@{second}": 0.5,
    }


def test_quarters_of_one_adapter_with_itself_are_that_adapter(filled: tuple[Path, str, str], base_folder: Path) -> None:
    """PEFT's linear weighs both factors by the weight's square root: (√¼ + √¼)² = 1."""
    root, first, _ = filled
    weights = {f"cni@{first}": 0.25, f"cni@{first[:8]}": 0.25}
    revision = merge.merge(root, base_folder, "same", merge.Blend("linear", weights))
    original = load_file(root / "cni" / first / "adapter_model.safetensors")
    merged = load_file(root / "same" / revision / "adapter_model.safetensors")
    config = json.loads((root / "same" / revision / "adapter_config.json").read_text())
    for name in [name for name in original if "lora_A" in name]:
        partner = name.replace("lora_A", "lora_B")
        expected = original[partner] @ original[name] * (32 / 16)
        actual = merged[partner] @ merged[name] * (config["lora_alpha"] / config["r"])
        assert (actual - expected).abs().max() < 1e-4


def test_merge_says_what_is_wrong(
    filled: tuple[Path, str, str], base_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, first, _ = filled
    rest = ("--base", str(base_folder), "--registry", str(root), "--name", "x")
    for parents in ([f"cni@{first}=1"], ["cni@zzz=1", f"cni@{first}=1"], ["cni"], ["none@1=1", f"cni@{first}=1"]):
        assert call("merge", *parents, *rest) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_operations_on_a_folder(
    filled: tuple[Path, str, str], base_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, first, second = filled
    here = ("registry", "--registry", str(root))
    assert call(*here, "switch", "cni", f"{first}=90", f"{second}=10") == 0
    assert call(*here, "rollback", "cni") == 0
    assert call(*here, "remove", "cni", second) == 0
    write_adapter(tmp_path / "third", seed=3, manifest=manifest_for(base_folder))
    assert call(*here, "add", "cni", str(tmp_path / "third"), "--base", str(base_folder)) == 0
    capsys.readouterr()
    assert call(*here, "list", "--base", str(base_folder)) == 0
    shown = json.loads(capsys.readouterr().out)["cni"]
    assert shown["serving"] == {first: 1.0} and len(shown["revisions"]) == 2
    assert call(*here, "remove", "cni", first) == 2

"""A recipe held against the machine: what is missing is said before anything is trained, and the exit code tells."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters import __main__ as program
from adapters.doctor import command
from adapters.doctor.recipe_check import _trained, checks
from adapters.settings import Settings
from adapters.training import memory
from adapters.training.model import with_adapter
from adapters.training.recipe import Lora
from tests.support.receipts import write_folder
from tests.support.tiny_models import write_base

THERE = dict.fromkeys(("torch", "peft", "transformers", "bitsandbytes", "torchao"), "1")
RECEIPT = yaml.safe_load(Path("adapters/recipes/receipt/document.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("base") / "tiny-base")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def recipe(folder: Path, base: Path | str, **more: Any) -> Path:
    content = {"name": "tiny", "base": str(base), "data": {"documents": ["cni-2025-recto"], "text": 8, "validation": 4}}
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(content | more), encoding="utf-8")
    return path


def found(path: Path, versions: dict[str, str] = THERE) -> dict[str, tuple[bool, str]]:
    return {check.what: (check.good, check.said) for check in checks(path, None, Settings(), versions)}


def test_what_is_there_and_fits_is_said(base: Path, tmp_path: Path) -> None:
    said = found(recipe(tmp_path, base))
    assert all(good for good, _ in said.values())
    assert list(said) == ["packages", "base", "data", "memory"] and "GB are free" in said["memory"][1]
    assert list((tmp_path / "cache").rglob("*.samples")), "kept for the training"


def test_a_base_without_room_is_no(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: (1000, "memory"))
    good, said = found(recipe(tmp_path, base))["memory"]
    assert not good and "The base tiny-base takes" in said
    monkeypatch.setattr(memory, "free_memory", lambda: (100_000_000, "memory"))
    good, said = found(recipe(tmp_path, base))["memory"]
    assert not good and "take a smaller optimization.batch" in said


def test_nothing_is_fetched(tmp_path: Path) -> None:
    said = found(recipe(tmp_path, "embedded"))
    assert said["base"] == (False, "embedded is not here yet: python -m adapters base embedded")
    assert "memory" not in said and not (tmp_path / "cache").exists()
    assert "does not exist" in found(recipe(tmp_path, "./nowhere"))["base"][1]


def test_packages_are_those_of_the_method(base: Path, tmp_path: Path) -> None:
    without = {name: found for name, found in THERE.items() if name != "bitsandbytes"}
    assert found(recipe(tmp_path, base), without)["packages"][0]
    good, said = found(recipe(tmp_path, base, method="qlora"), without)["packages"]
    assert not good and "not installed: bitsandbytes" in said


def test_examples_that_are_not_there_are_named(base: Path, tmp_path: Path) -> None:
    own = {"document": RECEIPT, "data": {"examples": [{"path": "receipts"}]}}
    path = recipe(tmp_path, base, **own)
    good, said = found(path)["data"]
    assert not good and "say with --data" in said
    write_folder(tmp_path / "receipts", 10)
    assert found(path)["data"] == (True, "9 samples to learn from, 1 to be judged by.")


def test_the_adapter_is_counted_as_it_will_be(base: Path) -> None:
    lora = Lora(r=4, targets=("q_proj", "down_proj"))
    model = with_adapter(base, lora)
    assert _trained(base, lora) == sum(part.numel() for part in model.parameters() if part.requires_grad)


def test_the_exit_code_tells(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "read_bandwidth", lambda cores: 40e9)

    def asked(*words: object) -> int:
        monkeypatch.setattr("sys.argv", ["adapters", "doctor", *map(str, words)])
        return program.main()

    assert asked(recipe(tmp_path, base)) == 0
    assert "yes data: " in capsys.readouterr().out
    assert asked(recipe(tmp_path, base, method="loro"), "--json") == 1
    (check,) = json.loads(capsys.readouterr().out)["recipe"]
    assert (check["what"], check["good"]) == ("recipe", False) and "is wrong at method" in check["said"]
    assert asked() == 0

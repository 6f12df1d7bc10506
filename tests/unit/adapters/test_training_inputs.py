"""What a user can get wrong in training: one sentence each, and nothing half-written."""

import errno
import gzip
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError
from transformers import AutoTokenizer

from adapters import __main__ as program
from adapters.registry.canonical import file_sha256
from adapters.training import cache, checkpoint, loop, memory, trackers
from adapters.training.examples import prepare, prepared
from adapters.training.log import Log
from adapters.training.recipe import Recipe
from adapters.training.recipe_data import Data
from adapters.training.run_lock import alone
from tests.support.tiny_models import write_base

RECIPE = Recipe(name="tiny", data=Data(documents=("cni-2025-recto",), text=8, validation=4))
YAML = """
name: tiny
base: {base}
lora: {{r: 4, alpha: 8}}
data: {{documents: [cni-2025-recto], text: 8, validation: 4}}
optimization: {{batch: 4}}
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("base") / "tiny-base")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("ADAPTERS_TRACKERS", "none")


def _train(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str, *more: str) -> int:
    recipe = folder / "recipe.yaml"
    recipe.write_text(text)
    monkeypatch.setattr(
        "sys.argv",
        ["adapters", "train", str(recipe), "--runs", str(folder / "runs"), "--registry", str(folder / "out"), *more],
    )
    return program.main()


def _one_sentence(capsys: pytest.CaptureFixture[str], *named: str) -> None:
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.endswith(".")
    for word in named:
        assert word in said, said


def test_a_run_writes_its_recipe_versions_curves_and_costs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADAPTERS_TRACKERS", "tensorboard")
    assert _train(monkeypatch, tmp_path, YAML.format(base=base)) == 0
    revision = Path(capsys.readouterr().out.strip())
    report = json.loads((revision / "training.json").read_text())
    assert report["recipe"]["lora"]["r"] == 4
    assert report["commit"] and report["date"] and report["load_average"] >= 0 and report["machine"]["cores"]
    assert str(base.parent) not in json.dumps(report)
    assert {"torch", "peft", "transformers"} <= set(report["versions"])
    assert report["base_weights_bytes"] > 0 and report["peak_memory_bytes"] > report["base_weights_bytes"]
    assert len(report["losses"]) == report["steps"] == 2
    assert {"loss", "exact", "fields", "step"} == set(report["validation"][-1])
    assert (revision / "training.png").read_bytes().startswith(b"\x89PNG")
    (events,) = (tmp_path / "runs/tiny/tensorboard").iterdir()
    assert b"validation/fields" in events.read_bytes()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("name: tiny\nmethod: lora8\n", ("recipe.yaml", "method", "'qlora'", "lora8")),
        ("name: tiny\nqat: {weights: int8}\n", ("recipe.yaml", "qat belongs to method qat-lora")),
        ("name: tiny\nmethod: qat-lora\nqat: {weights: int2}\n", ("qat.weights", "int2")),
        ("\x00\x01", ("recipe.yaml", "not YAML")),
        ("name: tiny\nbase: /nowhere/at/all\n", ("/nowhere/at/all does not exist",)),
    ],
)
def test_a_recipe_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    named: tuple[str, ...],
) -> None:
    assert _train(monkeypatch, tmp_path, text) == 2
    _one_sentence(capsys, *named)
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "out").exists()


def test_a_broken_line_of_a_data_file_is_named_with_its_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = '{"document": "cni-2025-recto", "lines": ["A"], "targets": [0, null, null, null, null, null]}\n'
    with gzip.open(tmp_path / "lines.jsonl.gz", "wt") as file:
        file.write(good * 2 + good.replace("[0,", "[7,") + good)
    text = YAML.format(base=base).replace("text: 8", "text: 8, recorded: [lines.jsonl.gz]")
    assert _train(monkeypatch, tmp_path, text) == 2
    _one_sentence(capsys, "lines.jsonl.gz, line 3,")
    assert not (tmp_path / "out").exists()


def test_a_data_file_that_is_cut_off_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = Path("adapters/recipes/recorded.jsonl.gz").read_bytes()
    (tmp_path / "lines.jsonl.gz").write_bytes(whole[:20_000])
    text = YAML.format(base=base).replace("text: 8", "text: 8, recorded: [lines.jsonl.gz]")
    assert _train(monkeypatch, tmp_path, text) == 2
    _one_sentence(capsys, "lines.jsonl.gz")


def test_a_base_whose_context_is_too_short(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = tmp_path / "short"
    shutil.copytree(base, short)
    config = (short / "config.json").read_text()
    (short / "config.json").write_text(
        config.replace('"max_position_embeddings": 2048', '"max_position_embeddings": 64')
    )
    assert _train(monkeypatch, tmp_path, YAML.format(base=short)) == 2
    _one_sentence(capsys, "The base short reads 64 tokens at most")
    assert not (tmp_path / "out").exists()


def test_no_room_in_memory_is_said_before_the_first_step(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: (100_000_000, "memory"))
    assert _train(monkeypatch, tmp_path, YAML.format(base=base)) == 2
    _one_sentence(capsys, "GB of memory and 0.1 GB are free", "optimization.batch", "gradient_checkpointing")
    assert not (tmp_path / "runs/tiny/checkpoint").exists()


def test_a_base_that_does_not_fit_is_said_before_it_is_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    size = (base / "model.safetensors").stat().st_size
    monkeypatch.setattr(memory, "free_memory", lambda: (size // 2, "memory"))
    assert _train(monkeypatch, tmp_path, YAML.format(base=base)) == 2
    _one_sentence(capsys, "The base tiny-base takes 0.0 GB of memory", "or method qlora")
    monkeypatch.setattr(memory, "free_memory", lambda: (size // 4, "memory"))
    assert _train(monkeypatch, tmp_path, YAML.format(base=base) + "method: qlora\n") == 2
    _one_sentence(capsys, "The base tiny-base takes", "take a smaller base.")


def test_memory_that_runs_out_on_the_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(loop, "loss_of", fail)
    assert _train(monkeypatch, tmp_path, YAML.format(base=base)) == 2
    _one_sentence(capsys, "Memory ran out", "optimization.batch")
    assert not (tmp_path / "out").exists()


def test_a_recipe_that_was_refused_may_be_corrected(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = YAML.format(base=base)
    assert _train(monkeypatch, tmp_path, text.replace("text: 8", "text: 0")) == 2
    _one_sentence(capsys, "no training samples")
    assert _train(monkeypatch, tmp_path, text) == 0
    assert _train(monkeypatch, tmp_path, text.replace("text: 8", "text: 12")) == 2
    _one_sentence(capsys, "holds a run of another recipe")


def test_a_base_that_no_manifest_could_name_is_said_before_the_training(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(base, bare, ignore=shutil.ignore_patterns("*.safetensors"))
    assert _train(monkeypatch, tmp_path, YAML.format(base=bare)) == 2
    _one_sentence(capsys, "The base bare cannot be described")
    assert not (tmp_path / "runs").exists()


def test_a_revision_to_start_from_that_is_torn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torn = tmp_path / "torn"
    torn.mkdir()
    (torn / "adapter_config.json").write_text("{}")
    (torn / "adapter_model.safetensors").write_bytes(b"half")
    assert _train(monkeypatch, tmp_path, YAML.format(base=base) + "start_from: torn\n") == 2
    _one_sentence(capsys, "The revision torn to start from cannot be read")


def test_a_disk_that_is_full_when_the_revision_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("peft.peft_model.safe_save_file", full)
    assert _train(monkeypatch, tmp_path, YAML.format(base=base)) == 2
    _one_sentence(capsys, "is full", "goes on from the last checkpoint")
    assert not list((tmp_path / "out/tiny").iterdir())
    assert (tmp_path / "runs/tiny/checkpoint").is_dir()


def test_a_place_for_runs_that_is_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "runs").write_text("")
    assert _train(monkeypatch, tmp_path, YAML.format(base=base)) == 2
    _one_sentence(capsys, "runs", "cannot be used")


def test_no_room_on_the_disk_is_said_before_the_first_step(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1))  # type: ignore[attr-defined]
    assert _train(monkeypatch, tmp_path, YAML.format(base=base)) == 2
    _one_sentence(capsys, "MB of disk", "--runs")
    assert not (tmp_path / "runs/tiny/checkpoint").exists()


def test_a_disk_that_fills_up_leaves_the_last_checkpoint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = YAML.format(base=base) + "checkpoint_every: 1\n"
    true, calls = os.fsync, [0]

    def full(descriptor: int) -> None:
        calls[0] += 1
        if calls[0] > 6:  # samples and recipe with their folders are four, the first checkpoint's files two
            raise OSError(errno.ENOSPC, "No space left on device")
        true(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    assert _train(monkeypatch, tmp_path, text) == 2
    _one_sentence(capsys, "disk", "full")
    assert sorted(path.name for path in (tmp_path / "runs/tiny").iterdir()) == [".lock", "checkpoint", "recipe.json"]
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(os, "fsync", true)
    assert _train(monkeypatch, tmp_path, text) == 0


def test_a_full_disk_leaves_the_old_checkpoint_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    checkpoint.save(tmp_path / "checkpoint", model, optimizer, Log(step=1))

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(tmp_path / "checkpoint", model, optimizer, Log(step=2))
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]
    assert checkpoint.load(tmp_path / "checkpoint", model, optimizer)[0].step == 1


def test_two_processes_do_not_share_a_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with alone(tmp_path / "runs/tiny"):
        assert _train(monkeypatch, tmp_path, YAML.format(base=base)) == 2
    _one_sentence(capsys, "Another process works in")


def test_an_unknown_tracker_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ADAPTERS_TRACKERS", "notebook")
    assert _train(monkeypatch, tmp_path, YAML.format(base=base)) == 2
    _one_sentence(capsys, "'notebook'", "tensorboard, mlflow, wandb")


def test_trackers_get_numbers_alone() -> None:
    class Kept:
        def __init__(self) -> None:
            self.values: dict[str, Any] = {}

        def scalars(self, step: int, values: Any) -> None:
            self.values.update(values)

        def close(self) -> None: ...

    kept = Kept()
    look = {"step": 3, "loss": 1.0, "exact": 0.5, "fields": 0.75}
    trackers.report([kept], Log(step=3, seconds=2.0, tokens=10, losses=[0.25], validation=[look]))
    assert kept.values == {
        "loss": 0.25,
        "validation/loss": 1.0,
        "validation/exact": 0.5,
        "validation/fields": 0.75,
        "tokens_per_second": 5.0,
    }


def test_prepared_samples_are_read_back_and_made_anew_when_broken(tmp_path: Path, base: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(base)
    fresh = prepare(RECIPE, tmp_path, tokenizer)
    assert prepared(RECIPE, tmp_path, base, tokenizer, tmp_path / "kept", tmp_path) == fresh
    (path,) = (tmp_path / "kept").iterdir()
    first = file_sha256(path)
    assert cache.read(path) == (fresh.training, fresh.validation)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert cache.read(path) is None
    assert prepared(RECIPE, tmp_path, base, tokenizer, tmp_path / "kept", tmp_path) == fresh
    assert file_sha256(path) == first


def test_only_every_nth_sample_of_a_recorded_file_is_taken(tmp_path: Path, base: Path) -> None:
    line = '{"document": "cni-2025-recto", "lines": ["A"], "targets": [0, null, null, null, null, null]}\n'
    (tmp_path / "r.jsonl").write_text(line * 10)
    (tmp_path / "s.jsonl").write_text(line * 4)
    data = Data(
        documents=("cni-2025-recto",), text=0, validation=4, recorded=("r.jsonl", "s.jsonl"), recorded_repeats=2
    )
    tokenizer = AutoTokenizer.from_pretrained(base)
    all_of_them = prepare(RECIPE.model_copy(update={"data": data}), tmp_path, tokenizer)
    some = data.model_copy(update={"every": {"r.jsonl": 3}})
    assert len(all_of_them.training) == 2 * 14
    assert len(prepare(RECIPE.model_copy(update={"data": some}), tmp_path, tokenizer).training) == 2 * (4 + 4)


def test_the_key_of_prepared_samples_follows_all_that_they_depend_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, base: Path
) -> None:
    line = '{"document": "cni-2025-recto", "lines": ["A"], "targets": [0, null, null, null, null, null]}\n'
    (tmp_path / "r.jsonl").write_text(line)
    recipe = RECIPE.model_copy(update={"data": RECIPE.data.model_copy(update={"recorded": ("r.jsonl",)})})
    other_base = tmp_path / "other"
    shutil.copytree(base, other_base)
    (other_base / "tokenizer.json").write_text((base / "tokenizer.json").read_text() + " ")
    keys = [
        cache.key(recipe, tmp_path, base, tmp_path),
        cache.key(RECIPE, tmp_path, base, tmp_path),
        cache.key(recipe.model_copy(update={"seed": 1}), tmp_path, base, tmp_path),
        cache.key(recipe, tmp_path, other_base, tmp_path),
    ]
    (tmp_path / "r.jsonl").write_text(line * 2)
    keys.append(cache.key(recipe, tmp_path, base, tmp_path))
    assert len(set(keys)) == 5
    slower = recipe.model_copy(update={"optimization": recipe.optimization.model_copy(update={"batch": 2})})
    assert cache.key(slower, tmp_path, base, tmp_path) == keys[-1]
    hashed: list[str] = []
    monkeypatch.setattr(cache, "file_sha256", lambda path: hashed.append(path.name) or "0")  # type: ignore[func-returns-value]
    cache.key(recipe, tmp_path, base, tmp_path)
    assert {"contract.py", "vocabulary.py"} <= set(hashed) and any(name.endswith(".txt") for name in hashed)

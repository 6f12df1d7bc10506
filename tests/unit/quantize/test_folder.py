"""The command's result: what vLLM and the registry need; every refusal a sentence, nothing half done left."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from adapters.__main__ import main
from adapters.errors import QuantizeError
from adapters.quantize import checks, folder, gptq_model, run
from adapters.quantize.methods import METHODS
from adapters.quantize.run import Plan, quantize
from adapters.registry.base_model import read_base
from adapters.registry.fingerprint import base_fingerprint
from adapters.registry.quantization import Quantization, read_quantization
from tests.support.tiny_models import write_base

MODULE = "model.layers.1.mlp.down_proj"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("base") / "tiny", family="llama")


def plan(base: Path, method: str, group: int | None = None) -> Plan:
    return Plan(base, "tiny", METHODS[method], group or METHODS[method].group, samples=4, seed=7)


def make(base: Path, out: Path, method: str) -> Quantization:
    return quantize(plan(base, method), out, lambda what, done, of: None)


@pytest.mark.parametrize(
    ("method", "layout", "tensor"),
    [("int8", "int-quantized", "weight"), ("int4", "pack-quantized", "weight_packed"),
     ("gptq", "pack-quantized", "weight_packed")],
)  # fmt: skip
def test_is_a_base_that_adapters_of_the_original_fit(
    base: Path, tmp_path: Path, method: str, layout: str, tensor: str
) -> None:
    manifest = make(base, tmp_path / "out", method)
    assert read_quantization(tmp_path / "out") == manifest
    config = json.loads((tmp_path / "out/config.json").read_text())["quantization_config"]
    assert (config["quant_method"], config["format"], config["ignore"]) == ("compressed-tensors", layout, ["lm_head"])
    stored = load_file(tmp_path / "out/model.safetensors")
    original = load_file(base / "model.safetensors")
    assert stored[f"{MODULE}.{tensor}"].dtype in {torch.int8, torch.int32}
    assert torch.equal(stored["model.embed_tokens.weight"], original["model.embed_tokens.weight"])
    assert base_fingerprint(tmp_path / "out") == base_fingerprint(base) == manifest.base.fingerprint
    assert read_base(tmp_path / "out").modules == read_base(base).modules
    assert 0 < manifest.error < (0.02 if method == "int8" else 0.2)
    assert sum(manifest.files.values()) < (base / "model.safetensors").stat().st_size
    assert (tmp_path / "out/tokenizer.json").exists()
    assert (manifest.calibration is not None) == (method == "gptq")


def test_nf4_is_the_same_model_in_bfloat16(base: Path, tmp_path: Path) -> None:
    manifest = make(base, tmp_path / "out", "nf4")
    stored, original = load_file(tmp_path / "out/model.safetensors"), load_file(base / "model.safetensors")
    assert {k: (v.shape, v.dtype) for k, v in stored.items()} == {k: (v.shape, v.dtype) for k, v in original.items()}
    assert "quantization_config" not in json.loads((tmp_path / "out/config.json").read_text())
    assert 0.02 < manifest.error < 0.15
    assert len(stored[f"{MODULE}.weight"].unique()) < len(original[f"{MODULE}.weight"].unique())


def test_the_same_call_gives_the_same_bytes(base: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        make(base, tmp_path / name, "gptq")
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    assert all(torch.equal(one[key], two[key]) for key in one)


def test_shards_keep_their_index(base: Path, tmp_path: Path) -> None:
    sharded = tmp_path / "sharded"
    shutil.copytree(base, sharded)
    tensors = load_file(base / "model.safetensors")
    (sharded / "model.safetensors").unlink()
    names = sorted(tensors)
    shards = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    for file, held in shards.items():
        save_file({name: tensors[name] for name in held}, sharded / file)
    places = {name: file for file, held in shards.items() for name in held}
    (sharded / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    make(sharded, tmp_path / "out", "int4")
    index = json.loads((tmp_path / "out/model.safetensors.index.json").read_text())["weight_map"]
    found = {name: file for file in shards for name in load_file(tmp_path / "out" / file)}
    assert index == found
    assert f"{MODULE}.weight_packed" in found
    assert base_fingerprint(tmp_path / "out") == base_fingerprint(base)


class _Killed(BaseException):
    """As a signal would come: nothing catches it on the way."""


def test_a_kill_at_any_step_leaves_nothing_or_everything(base: Path, tmp_path: Path) -> None:
    steps: list[str] = []
    quantize(plan(base, "int4"), tmp_path / "whole", lambda *_: None, steps.append)
    assert {"weights", "rest", "manifest", "publish"} <= set(steps)
    for number in range(len(steps)):
        left = iter(range(number))

        def step(name: str, left: "iter[int]" = left) -> None:  # type: ignore[valid-type]
            if next(left, None) is None:
                raise _Killed

        out = tmp_path / "killed"
        with pytest.raises(_Killed):
            quantize(plan(base, "int4"), out, lambda *_: None, step)
        if out.exists():
            assert read_quantization(out) is not None
            shutil.rmtree(out)
        assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_what_a_dead_process_left_is_cleared(base: Path, tmp_path: Path) -> None:
    dead = tmp_path / ".out-999999999-abc"
    dead.mkdir()
    make(base, tmp_path / "out", "int4")
    assert not dead.exists()


def refused(action: Callable[[], object]) -> str:
    with pytest.raises(QuantizeError) as error:
        action()
    text = str(error.value)
    assert "\n" not in text
    return text


def test_refusals_before_any_work(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "48" in refused(lambda: quantize(plan(base, "int4", 48), tmp_path / "out", lambda *_: None))
    make(base, tmp_path / "done", "int8")
    assert "quantized already" in refused(lambda: make(tmp_path / "done", tmp_path / "out", "int4"))
    assert "is there already" in refused(lambda: make(base, tmp_path / "done", "int4"))
    (tmp_path / "empty").mkdir()
    assert "cannot be read" in refused(lambda: make(tmp_path / "empty", tmp_path / "out", "int4"))
    monkeypatch.setattr(folder.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 0))  # type: ignore[attr-defined]
    assert "MiB" in refused(lambda: make(base, tmp_path / "out", "int4"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["done", "empty"]


def test_no_memory(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "available_memory", lambda: 0)
    assert "memory" in refused(lambda: make(base, tmp_path / "out", "gptq"))
    assert not list(tmp_path.iterdir())


def test_weights_that_vllms_kernel_cannot_take(base: Path, tmp_path: Path) -> None:
    shapes = {"model.layers.0.mlp.up_proj": (40, 64)}
    checks.check_kernel("tiny", shapes, METHODS["int8"], gpu=False)
    checks.check_kernel("tiny", shapes, METHODS["gptq"], gpu=True)
    assert "40 x 64" in refused(lambda: checks.check_kernel("tiny", shapes, METHODS["gptq"], gpu=False))


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (MemoryError(), "free memory"),
        (torch.OutOfMemoryError(), "free memory"),
        (RuntimeError("DefaultCPUAllocator"), "free memory"),
        (ValueError("shape"), "its weights are none that this method takes"),
        (ImportError(name="bitsandbytes"), "needs bitsandbytes"),
    ],
)
def test_what_fails_while_weights_are_rounded(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, says: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(run, "round_to_nearest", fail)
    said = refused(lambda: make(base, tmp_path / "out", "int4"))
    assert says in said and "nothing was kept" in said
    assert not list(tmp_path.iterdir())


def test_cards_that_are_too_few_are_no_lack_of_memory(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Second moments that no Cholesky factor has: that of the inputs of one layer is broken here."""
    whole = gptq_model.second_moments

    def broken(layer: torch.nn.Module, run: Callable[[], None]) -> dict[str, torch.Tensor]:
        moments = whole(layer, run)
        return moments | {"mlp.down_proj": -moments["mlp.down_proj"]}

    monkeypatch.setattr(gptq_model, "second_moments", broken)
    said = refused(lambda: make(base, tmp_path / "out", "gptq"))
    assert "do not span the inputs of model.layers.0.mlp.down_proj: take more with --samples" in said
    assert "memory" not in said and not list(tmp_path.iterdir())


def test_a_base_without_tokenizer_is_named_where_cards_are_needed(base: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(base, bare, ignore=shutil.ignore_patterns("tokenizer*"))
    assert "no readable tokenizer" in refused(lambda: make(bare, tmp_path / "out", "gptq"))
    assert not (tmp_path / "out").exists()


def test_a_disk_that_fills_up_on_the_way(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder, "save_file", full)
    assert "the disk is full" in refused(lambda: make(base, tmp_path / "out", "int4"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--method", "int3"], "int8, int4, gptq, nf4"),
        (["--method", "int8", "--group", "32"], "--group is for"),
        (["--method", "int4", "--group", "7"], "even number"),
        (["--method", "gptq", "--samples", "0"], "at least one card"),
        (["--method", "int4", "--base", "/nowhere/at/all"], "does not exist"),
    ],
)
def test_the_command_says_one_sentence(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["adapters", "quantize", "--out", str(tmp_path / "out"), *arguments])
    assert main() == 2
    printed = capsys.readouterr()
    assert says in printed.err
    assert printed.err.count("\n") == 1
    assert not list(tmp_path.iterdir())

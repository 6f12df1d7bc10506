"""An adapter's scores on a quantized base: taken on the weights as they are stored, and kept in the base's manifest."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from adapters.__main__ import main
from adapters.data.documents import DOCUMENT_NAMES
from adapters.quantize import scores
from adapters.quantize.methods import METHODS
from adapters.quantize.rounding import round_to_nearest, scheme_of
from adapters.quantize.run import Plan, quantize
from adapters.registry.quantization import read_quantization
from adapters.training.contract import contract
from adapters.training.model import with_adapter
from adapters.training.recipe import Lora
from tests.support.checkpoints import write_checkpoint
from tests.support.tiny_models import manifest_for, write_adapter, write_base


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("base") / "tiny", family="llama")


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    prompt = contract(DOCUMENT_NAMES).model_dump(mode="json", by_alias=True)
    folder = tmp_path_factory.mktemp("registry") / "cni" / "0123456789ab"
    return write_adapter(folder, manifest=manifest_for(base, prompt=prompt))


@pytest.mark.parametrize("method", ["int8", "int4", "nf4"])
def test_the_judged_model_has_the_stored_weights(base: Path, adapter: Path, tmp_path: Path, method: str) -> None:
    group = METHODS[method].group
    made = quantize(Plan(base, "tiny", METHODS[method], group, 1, 1), tmp_path / "out", lambda *_: None)
    model = with_adapter(base, Lora(), adapter)
    lora = {name: value.clone() for name, value in model.named_parameters() if "lora_" in name}
    scores._put(model.base_model.model, scores._stored(tmp_path / "out"), made)
    original = load_file(base / "model.safetensors")
    for name in ("self_attn.q_proj", "mlp.down_proj"):
        layer = model.base_model.model.model.layers[1].get_submodule(name)
        now, before = getattr(layer, "base_layer", layer).weight, original[f"model.layers.1.{name}.weight"]
        assert not torch.equal(now, before)
        if method != "nf4":
            rounded = round_to_nearest(before, scheme_of(METHODS[method], group), made.stored).weight
            torch.testing.assert_close(now, rounded.to(torch.bfloat16))
    assert all(torch.equal(value, lora[name]) for name, value in model.named_parameters() if name in lora)


def test_gptq_sees_the_adapters_activations_and_leaves_its_weights(base: Path, adapter: Path, tmp_path: Path) -> None:
    made = {}
    for name, seen in (("base", None), ("adapter", adapter)):
        plan = Plan(base, "tiny", METHODS["gptq"], 32, 4, 7, seen)
        made[name] = quantize(plan, tmp_path / name, lambda *_: None)
    assert made["base"].calibration is not None and made["adapter"].calibration is not None
    assert (made["base"].calibration.adapter, made["adapter"].calibration.adapter) == (None, "cni@0123456789ab")
    alone, along = (load_file(tmp_path / name / "model.safetensors") for name in ("base", "adapter"))
    assert alone.keys() == along.keys()
    after = "model.layers.0.mlp.down_proj.weight_packed"  # behind what the adapter changes
    assert not torch.equal(alone[after], along[after])
    first = "model.layers.0.self_attn.q_proj.weight_packed"  # in front of it
    assert torch.equal(alone[first], along[first])


def test_the_command_keeps_them(base: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.quantize.command.JUDGED", 4)
    command = ["quantize", "--base", str(base), "--method", "int8", "--adapter", str(adapter)]
    monkeypatch.setattr("sys.argv", ["adapters", *command, "--out", str(tmp_path / "out")])
    assert main() == 0
    made = read_quantization(tmp_path / "out")
    assert made is not None
    assert made.scores is not None
    assert made.scores["adapter"] == "cni@0123456789ab"
    assert made.scores["original"].keys() == made.scores["quantized"].keys() == {"fields", "exact"}


def test_a_full_disk_leaves_a_base_without_scores(
    base: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("adapters.quantize.scores.score", lambda *_: {})
    monkeypatch.setattr("adapters.quantize.command.write_file", full)
    command = ["quantize", "--base", str(base), "--method", "int8", "--adapter", str(adapter)]
    monkeypatch.setattr("sys.argv", ["adapters", *command, "--out", str(tmp_path / "out")])
    assert main() == 2
    assert "is whole, but its scores could not be written (No space left" in capsys.readouterr().err
    made = read_quantization(tmp_path / "out")
    assert made is not None
    assert made.scores is None


def test_an_adapter_that_cannot_be_judged_is_refused_before_any_work(
    base: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_base(tmp_path / "other", family="llama", seed=1)
    bare = write_adapter(tmp_path / "bare")
    for on, given, says in (
        (other, adapter, "trained on another base"),
        (base, bare, "no revision with a manifest and a contract: make one"),
    ):
        command = ["quantize", "--base", str(on), "--method", "int8", "--adapter", str(given)]
        monkeypatch.setattr("sys.argv", ["adapters", *command, "--out", str(tmp_path / "out")])
        capsys.readouterr()  # what writing the models said
        assert main() == 2
        printed = capsys.readouterr().err
        assert says in printed
        assert printed.count("\n") == 1
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("method", ["int8", "gptq"])
def test_adopted_adapters_are_taken_and_scored_where_cards_can_be_drawn(
    base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    method: str,
) -> None:
    """Their contract answers objects; patterns and expressions of PEFT are PEFT's own to load."""
    monkeypatch.setattr("adapters.quantize.command.JUDGED", 4)
    source = write_checkpoint(tmp_path / "checkpoint-938", base_model_name_or_path=base.name)
    registry = tmp_path / "registry"
    registry.mkdir()
    contracts = {"checkpoint-938": None, "invoices": tmp_path / "invoices.yaml"}
    text = "suffix: 'A:'\ndocuments: {invoice: {prefix: 'Q:', fields: [total]}}\n"
    (tmp_path / "invoices.yaml").write_text(text)
    for name, contract_file in contracts.items():
        given = ["--contract", str(contract_file)] if contract_file else []
        command = ["adopt", str(source), "--name", name, "--base", str(base), "--registry", str(registry), *given]
        monkeypatch.setattr("sys.argv", ["adapters", *command])
        assert main() == 0
        (revision,) = (registry / name).iterdir()
        out = tmp_path / f"{name}-{method}"
        command = ["quantize", "--base", str(base), "--method", method, "--adapter", str(revision), "--samples", "4"]
        monkeypatch.setattr("sys.argv", ["adapters", *command, "--out", str(out)])
        assert main() == 0, capsys.readouterr().err
        made = read_quantization(out)
        assert made is not None and (made.scores is not None) == (name == "checkpoint-938")
    assert "no cards can be drawn of its documents; the base is whole" in capsys.readouterr().err

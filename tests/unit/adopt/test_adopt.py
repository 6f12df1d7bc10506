"""Any PEFT folder to a revision: its base recognised, leftovers and equal embeddings left out, patterns by name."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from adapters.adopt import command
from adapters.adopt.adopting import Target, adopt
from adapters.registry.base_model import read_base
from adapters.registry.base_names import Says, recognise, says
from adapters.registry.errors import Conflict, Refused
from adapters.registry.manifest import Base, read_manifest
from adapters.registry.quantization import Quantization
from adapters.registry.scan import scan_adapter
from adapters.registry.state import load_state
from tests.support.checkpoints import CACHED, LEFT_BY_TRAINER, write_checkpoint
from tests.support.tiny_models import adapter_tensors, write_base

NAMES = frozenset({"Qwen/Qwen3-0.6B", "/models/Qwen3-0.6B"})


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("models") / "Qwen3-0.6B")


@pytest.fixture
def target(base: Path) -> Target:
    return Target(read_base(base, str(base)), base, "Qwen3-0.6B")


def _adopt(source: Path, base: Path, registry: Path, **more: Any) -> dict[str, Any]:
    registry.mkdir(exist_ok=True)
    given = {"contract": None, "name": None, "same_base": False, "switch": False, "json": False, **more}
    return command.adopt_source(SimpleNamespace(source=str(source), base=str(base), registry=registry, **given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "written",
    [
        "Qwen/Qwen3-0.6B",
        "/models/Qwen3-0.6B/",
        CACHED,
        r"C:\Users\ana\.cache\huggingface\hub\models--Qwen--Qwen3-0.6B\snapshots\c1899de289a04d12100db370d81485cdf75e47ca",
        r"D:\models\Qwen3-0.6B",
        "unsloth/Qwen3-0.6B",
        "unsloth/qwen3-0.6b-unsloth-bnb-4bit",
        "unsloth/Qwen3-0.6B-bnb-4bit",
        "Qwen/Qwen3-0.6B-GPTQ-Int8",
    ],
)
def test_the_same_base_is_recognised_however_it_is_written(written: str) -> None:
    assert says(written, NAMES) is Says.SAME


@pytest.mark.parametrize("written", ["Qwen/Qwen3-1.7B", "Qwen/Qwen3-0.6B-Base", "meta/Llama-3", r"C:\m\Qwen3-8B"])
def test_another_model_is_another(written: str) -> None:
    assert says(written, NAMES) is Says.OTHER


@pytest.mark.parametrize(
    "written", [None, "", "./model", "/workspace/outputs", "c1899de289a04d12100db370d81485cdf75e47ca", "checkpoint-12"]
)
def test_a_folder_of_somebodys_machine_says_nothing(written: str | None) -> None:
    assert says(written, NAMES) is Says.NOTHING


def test_four_bits_of_bitsandbytes_are_seen() -> None:
    assert recognise("unsloth/Qwen3-0.6B-bnb-4bit").nf4
    assert not recognise("Qwen/Qwen3-0.6B").nf4


def test_a_trainers_checkpoint_becomes_a_revision(base: Path, tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "checkpoint-938")
    made = _adopt(source, base, tmp_path / "registry")
    assert made["adapter"] == "checkpoint-938" and made["new"] and made["rank"] == 16
    assert made["left_out"] == list(LEFT_BY_TRAINER)
    (found,) = scan_adapter(tmp_path / "registry", "checkpoint-938")
    kept = {path.name for path in found.folder.iterdir()}
    assert kept == {"README.md", "adapter_config.json", "adapter_model.safetensors", "manifest.json"}
    manifest = read_manifest(found.folder)
    described = read_base(base)
    assert manifest is not None and manifest.base.fingerprint == described.fingerprint
    assert described.weights is not None and manifest.base.weights == described.weights, "of every layer"
    assert manifest.prompt is not None and manifest.prompt.thinking is False and manifest.prompt.answer == "object"
    config = json.loads((found.folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "Qwen3-0.6B", "no path of the machine that trained it"
    assert not Path("/tmp/a-pickle-was-opened").exists()


def test_an_edited_contract_is_a_new_revision_and_the_same_is_none(base: Path, tmp_path: Path) -> None:
    source, registry = write_checkpoint(tmp_path / "checkpoint-938"), tmp_path / "registry"
    first = _adopt(source, base, registry)
    contract = source / "contract.yaml"
    assert contract.is_file(), "written where there was none, to be edited"
    again = _adopt(source, base, registry)
    assert again["revision"] == first["revision"] and not again["new"]
    contract.write_text(contract.read_text() + "stop: ['###']\nsampling: {temperature: 0.3}\n")
    changed = _adopt(source, base, registry)
    assert changed["new"] and changed["revision"] != first["revision"]
    assert load_state(registry).aliases["checkpoint-938"].weights == {first["revision"]: 1.0}, (
        "nothing switches by itself"
    )
    _adopt(source, base, registry, switch=True)
    assert load_state(registry).aliases["checkpoint-938"].weights == {changed["revision"]: 1.0}


def test_a_contract_that_is_written_is_told_by_its_whole_path(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_checkpoint(tmp_path / "checkpoint-938")
    made = _adopt(Path("checkpoint-938"), base, tmp_path / "registry")
    assert made["contract"] == str(tmp_path / "checkpoint-938/contract.yaml")
    assert f"contract: {made['contract']}, written now: edit it" in capsys.readouterr().err


def test_where_the_folder_takes_none_it_says_where_the_guess_lies_and_where_yours_goes(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a container whose adapters are mounted to be read alone."""
    monkeypatch.chdir(tmp_path)
    source = write_checkpoint(tmp_path / "mounted/checkpoint-938")
    monkeypatch.setattr("os.access", lambda path, mode, **_: Path(path) != source)
    guess = tmp_path / "runs/contracts/checkpoint-938.yaml"
    assert _adopt(source, base, tmp_path / "registry")["contract"] == str(guess) and guess.is_file()
    told = capsys.readouterr().err
    assert f"contract: a guess, {guess}, as {source} cannot be written: put it there as contract.yaml" in told
    (source / "contract.yaml").write_text(guess.read_text() + "stop: ['###']\n")
    again = _adopt(source, base, tmp_path / "registry")
    assert again["new"] and again["contract"] == str(source / "contract.yaml"), "the folder's own goes before the guess"


def test_a_base_that_is_another_is_refused_with_the_way_out(base: Path, tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "a", base_model_name_or_path="Qwen/Qwen3-0.6B-Base")
    with pytest.raises(Refused, match=r"is for the base 'Qwen3-0\.6B-Base'.*--base.*--same-base"):
        _adopt(source, base, tmp_path / "registry")
    assert _adopt(source, base, tmp_path / "registry", same_base=True)["new"]
    nameless = write_checkpoint(tmp_path / "b", base_model_name_or_path="/workspace/output")
    with pytest.raises(Refused, match=r"names its base only as 'output', a folder of the machine that trained it"):
        _adopt(nameless, base, tmp_path / "registry")


def test_a_folder_in_the_registry_itself_is_told_to_move(base: Path, tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "registry" / "checkpoint-938")
    with pytest.raises(Conflict, match=r"lies in the registry itself.*mv .*checkpoint-938"):
        _adopt(source, base, tmp_path / "registry")


def _with_embeddings(base: Path, change: float = 0.0) -> dict[str, Any]:
    embedding = load_file(base / "model.safetensors")["model.embed_tokens.weight"].clone()
    embedding[3, 5] += change
    saved = {
        "base_model.model.model.embed_tokens.weight": embedding,
        "base_model.model.lm_head.weight": embedding.float(),
    }
    return adapter_tensors(1) | saved


def test_embeddings_that_are_the_bases_own_are_left_out(base: Path, tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "a", tensors=_with_embeddings(base))
    made = _adopt(source, base, tmp_path / "registry")
    assert made["left_out"][-2:] == ["lm_head", "model.embed_tokens"]
    (found,) = scan_adapter(tmp_path / "registry", "a")
    kept = load_file(found.folder / "adapter_model.safetensors")
    assert kept.keys() == adapter_tensors(1).keys()
    assert all(torch.equal(kept[name], tensor) for name, tensor in adapter_tensors(1).items())


def test_a_trained_embedding_is_refused(base: Path, tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "a", tensors=_with_embeddings(base, change=0.5))
    with pytest.raises(Refused, match="a trained embedding cannot be served") as refused:
        _adopt(source, base, tmp_path / "registry")
    assert refused.value.check == "embeddings"
    assert not scan_adapter(tmp_path / "registry", "a")


def test_saved_modules_that_are_the_bases_own_do_not_stand_in_the_way(base: Path, tmp_path: Path) -> None:
    source = write_checkpoint(
        tmp_path / "a", tensors=_with_embeddings(base), modules_to_save=["embed_tokens", "lm_head"]
    )
    assert _adopt(source, base, tmp_path / "registry")["new"]


def test_expressions_become_module_names(target: Target, tmp_path: Path) -> None:
    tensors = adapter_tensors(0)
    name = "base_model.model.model.layers.1.self_attn.q_proj"
    tensors[f"{name}.lora_A.weight"] = torch.randn(4, 64)
    tensors[f"{name}.lora_B.weight"] = torch.randn(64, 4)
    patterns = {"rank_pattern": {r"layers\.[1-9]\.self_attn\.q_proj": 4}, "alpha_pattern": {r".*\.1\..*q_proj": 8}}
    source = write_checkpoint(tmp_path / "a", tensors=tensors, **patterns)
    assert adopt(source, "a", target).rank == 16
    config = json.loads((source / "adapter_config.json").read_text())
    assert config["rank_pattern"] == {"model.layers.1.self_attn.q_proj": 4}
    assert config["alpha_pattern"] == {"model.layers.1.self_attn.q_proj": 8}


@pytest.mark.parametrize("pattern", ["(", "(a|a?)+$", "((.*)*)*x"])
def test_a_crafted_expression_is_refused_or_ends(target: Target, tmp_path: Path, pattern: str) -> None:
    source = write_checkpoint(tmp_path / "a", rank_pattern={pattern: 4})
    try:
        adopt(source, "a", target)
    except Refused as refused:
        assert refused.check in {"config-schema", "tensor-shape"}


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 65])
def test_a_bad_name_is_one_sentence(target: Target, tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused, match="is no adapter name"):
        adopt(write_checkpoint(tmp_path / "a"), name, target)


def test_what_is_no_source_is_one_sentence(base: Path, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="neither a folder, an archive nor a hub's adapter"):
        _adopt(Path("/nowhere/at all"), base, tmp_path / "registry")


def test_a_quantized_base_is_called_as_its_original_too(base: Path, tmp_path: Path) -> None:
    """A checkpoint that names the original serves on its INT8 copy, dropped in as it is."""
    copy = shutil.copytree(base, tmp_path / "base-int8")
    described = read_base(base)
    original = Base(
        name="Qwen3-0.6B",
        fingerprint=described.fingerprint,
        architecture=described.architecture,
        hidden_size=described.hidden_size,
        layers=described.layers,
    )
    made = Quantization(
        method="int8",
        bits=8,
        activations="int8",
        embedding="bfloat16",
        stored="int-quantized",
        base=original,
        modules=1,
        error=0,
        files={},
        seconds=0,
    )
    (copy / "quantization.json").write_text(made.to_json())
    assert read_base(copy).is_called("Qwen/Qwen3-0.6B") and not read_base(copy).is_called("Qwen/Qwen3-1.7B")

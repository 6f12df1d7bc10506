"""The INT8 copy in the cache is made once and whole, is found again, and answers for its original."""

import json
import shutil
import threading
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from adapters.__main__ import main
from adapters.errors import QuantizeError
from adapters.quantize import checks, copies
from adapters.quantize.form import ready
from adapters.registry.base_model import read_base
from adapters.registry.quantization import read_quantization
from server.base_shape import read_shape
from tests.support.tiny_models import write_base

VNNI = "processor : 0\nflags\t\t: fpu avx2 avx512f avx512_vnni\n"
NONE = "processor : 0\nflags\t\t: fpu avx2 avx_vnni\n"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("bases") / "Tiny-Qwen3")


@pytest.fixture(scope="module")
def made(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the real copy of the tiny base."""
    cache = tmp_path_factory.mktemp("cache")
    copies.prepare(base, base.name, cache, _nothing)
    return cache


def _nothing(text: str) -> None:
    del text


def _no_work(*arguments: object) -> None:
    raise AssertionError("quantized again")


def _changed(base: Path, folder: Path, name: str, content: str) -> Path:
    shutil.copytree(base, folder / base.name)
    (folder / base.name / name).write_text(content)
    return folder / base.name


def _place(base: Path, cache: Path) -> Path:
    return copies.folder(base, base.name, read_base(base), cache)


def test_the_copy_answers_for_its_original_in_fewer_bytes(base: Path, made: Path) -> None:
    copy = _place(base, made)
    assert copy.parent.parent == made / "bases"
    original, rounded = read_base(base), read_base(copy)
    assert rounded.identity == original.identity
    assert (rounded.form, rounded.rounding) == ("int8", "int8")
    assert rounded.is_called(str(base)) and rounded.is_called("owner/Tiny-Qwen3")
    before, after = read_shape(base, str(base)), read_shape(copy, str(copy))
    assert after.weights < before.weights and after.eighth == 0, "the memory fit sees it by itself"
    assert after.name == before.name, "and calls it as before"


def test_the_second_time_nothing_is_made(base: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_quantize", _no_work)
    assert copies.prepare(base, base.name, made, _nothing) == _place(base, made)


def test_a_base_that_is_quantized_already_is_its_own_copy(base: Path, made: Path, tmp_path: Path) -> None:
    copy = _place(base, made)
    assert copies.prepare(copy, copy.name, tmp_path, _nothing) == copy
    assert ready("auto", copy, copy.name, tmp_path, _nothing, VNNI).why == "it is quantized already"
    assert ready("bf16", copy, copy.name, tmp_path, _nothing, VNNI).form == "int8", "nothing undoes it"
    assert not list(tmp_path.iterdir())


def test_other_weights_or_another_tokenizer_are_another_copy(base: Path, tmp_path: Path) -> None:
    template = _changed(base, tmp_path / "template", "chat_template.jinja", "other")
    merged = _changed(base, tmp_path / "merged", "README.md", "")
    (merged / "README.md").unlink()
    tensors = load_file(merged / "model.safetensors")
    tensors["model.layers.1.mlp.up_proj.weight"] += 1
    save_file(tensors, merged / "model.safetensors", metadata={"format": "pt"})
    assert len({_place(one, tmp_path) for one in (base, template, merged)}) == 3
    same = tmp_path / "elsewhere" / base.name
    shutil.copytree(base, same)
    assert _place(same, tmp_path) == _place(base, tmp_path), "where it lies does not matter"


def test_of_a_hub_the_copy_bears_the_models_name(base: Path, tmp_path: Path) -> None:
    snapshot = tmp_path / "models--owner--Tiny" / "snapshots" / "0123456789abcdef0123"
    shutil.copytree(base, snapshot)
    assert copies.folder(snapshot, "Tiny", read_base(snapshot), tmp_path).name == "Tiny"


def test_a_copy_that_is_not_whole_is_made_again(base: Path, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "bases", tmp_path / "bases")
    copy = _place(base, tmp_path)
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    said: list[str] = []
    assert copies.prepare(base, base.name, tmp_path, said.append) == copy
    manifest = read_quantization(copy)
    assert manifest is not None and weights.stat().st_size == manifest.files[weights.name]
    assert "not whole" in said[0]


def test_two_at_once_make_one(base: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, count = threading.Event(), threading.Event(), []

    def quantize(original: Path, name: str, final: Path) -> None:
        count.append(name)
        begun.set()
        assert go_on.wait(60)
        shutil.copytree(_place(original, made), final)

    monkeypatch.setattr(copies, "_quantize", quantize)
    found: list[Path] = []

    def one() -> None:
        found.append(copies.prepare(base, base.name, tmp_path, _nothing))

    threads = [threading.Thread(target=one) for _ in range(2)]
    threads[0].start()
    assert begun.wait(60)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert (count, found) == ([base.name], [_place(base, tmp_path)] * 2)


class _Killed(BaseException):
    """As a signal would come."""


def test_a_kill_leaves_no_copy_and_no_lock(
    base: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: object) -> None:
        raise _Killed

    with monkeypatch.context() as first:
        first.setattr(copies, "_quantize", killed)
        with pytest.raises(_Killed):
            copies.prepare(base, base.name, tmp_path, _nothing)
    assert not _place(base, tmp_path).exists()
    monkeypatch.setattr(copies, "_quantize", lambda original, name, final: shutil.copytree(_place(base, made), final))
    assert copies.prepare(base, base.name, tmp_path, _nothing).is_dir()


def test_a_cache_that_cannot_be_written_is_one_sentence(base: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(QuantizeError, match=r"cannot be written.*XDG_CACHE_HOME\.$"):
        copies.prepare(base, base.name, tmp_path / "file", _nothing)


def test_a_busy_place_is_waited_for_and_then_named(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_PATIENCE", 0.0)
    place = _place(base, tmp_path)
    with copies._alone(place), pytest.raises(QuantizeError, match="Another process has been writing"):
        copies.prepare(base, base.name, tmp_path, _nothing)


def test_auto_is_int8_only_where_the_processor_computes_with_it(base: Path, made: Path) -> None:
    original, copy = str(base), str(_place(base, made))
    chosen = ready("auto", base, base.name, made, _nothing, VNNI)
    assert (chosen.folder, chosen.original, chosen.form) == (copy, original, "int8")
    assert "AVX512-VNNI" in chosen.why
    chosen = ready("auto", base, base.name, made, _nothing, NONE)
    assert (chosen.folder, chosen.original, chosen.form) == (original, original, "bf16")
    assert "no AVX512-VNNI" in chosen.why
    assert ready("int8", base, base.name, made, _nothing, NONE).folder == copy, "who asks for it gets it"


def test_auto_leaves_a_base_with_layers_of_other_kinds(base: Path, tmp_path: Path) -> None:
    experts = tmp_path / "experts"
    shutil.copytree(base, experts)
    tensors = load_file(experts / "model.safetensors")
    tensors["model.layers.0.mlp.gate.weight"] = tensors["model.layers.0.mlp.up_proj.weight"].clone()
    save_file(tensors, experts / "model.safetensors", metadata={"format": "pt"})
    chosen = ready("auto", experts, experts.name, tmp_path, _nothing, VNNI)
    assert (chosen.form, chosen.why) == ("bf16", "int8 was not measured on layers like its model.layers.0.mlp.gate")


def _command(monkeypatch: pytest.MonkeyPatch, cache: Path, *arguments: str) -> int:
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setattr("sys.argv", ["adapters", "base", *arguments])
    return main()


def test_the_command_prints_the_folder(
    base: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(made / "bases", tmp_path / "cni-lora-server" / "bases")
    copy = _place(base, tmp_path / "cni-lora-server")
    assert _command(monkeypatch, tmp_path, str(base), "--form", "int8") == 0
    assert capsys.readouterr().out == f"{copy}\n"
    assert _command(monkeypatch, tmp_path, str(base)) == 0
    assert capsys.readouterr().out == f"{base.resolve()}\n", "as it is where nothing is said"
    assert _command(monkeypatch, tmp_path, str(base), "--form", "int8", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"folder": str(copy), "original": str(base.resolve()), "form": "int8", "why": ""}


def test_too_little_memory_is_one_sentence(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(checks, "available_memory", lambda: 0)
    assert _command(monkeypatch, tmp_path, str(base), "--form", "int8") == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert "GiB of memory and 0.0 are free: free some." in last, "int4 is no way out of the default"

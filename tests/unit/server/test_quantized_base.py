"""A quantized base is taken for its original, with a warning; what is not what its manifest says does not start."""

import json
import shutil
from pathlib import Path

import pytest

from adapters.quantize.methods import METHODS
from adapters.quantize.run import Plan, quantize
from adapters.registry.base_model import read_base
from adapters.registry.errors import Refused
from adapters.registry.quantization import QUANTIZATION_FILE
from adapters.registry.validate import Rules, check_header
from server.prepare import PrepareError
from server.quantized_base import check_quantized_base
from tests.support.tiny_models import adapter_tensors, manifest_for, write_adapter, write_base


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """The original, its INT4 form, and another base of the same shape."""
    root = tmp_path_factory.mktemp("bases")
    base, other = write_base(root / "one", family="llama"), write_base(root / "two", family="llama", seed=1)
    quantize(Plan(base, "one", METHODS["int4"], 32, 1, 1), root / "one-int4", lambda *_: None)
    return base, root / "one-int4", other


def test_says_what_it_is(folders: tuple[Path, Path, Path]) -> None:
    base, quantized, _ = folders
    assert check_quantized_base(str(base)) is None
    warning = check_quantized_base(str(quantized))
    assert warning is not None
    assert "one through int4 (4 bits, groups of 32)" in warning


def test_takes_the_originals_adapters_and_no_others(folders: tuple[Path, Path, Path], tmp_path: Path) -> None:
    base, quantized, other = folders
    rules = Rules(read_base(quantized, "one-int4"), max_rank=16)
    mine = write_adapter(tmp_path / "mine", manifest=manifest_for(base))
    assert check_header(mine, rules).modules == 4
    with pytest.raises(Refused, match="fingerprint"):
        check_header(write_adapter(tmp_path / "theirs", manifest=manifest_for(other)), rules)
    wide = {
        name: tensor[:, :-1].contiguous() if "lora_A" in name else tensor for name, tensor in adapter_tensors().items()
    }
    with pytest.raises(Refused, match="shape"):
        check_header(write_adapter(tmp_path / "wide", tensors=wide, manifest=manifest_for(base)), rules)


def test_refuses_what_is_not_what_it_says(folders: tuple[Path, Path, Path], tmp_path: Path) -> None:
    base, quantized, other = folders

    def refused(name: str) -> str:
        with pytest.raises(PrepareError) as error:
            check_quantized_base(str(tmp_path / name))
        return str(error.value)

    shutil.copytree(quantized, tmp_path / "short")
    (tmp_path / "short/model.safetensors").write_bytes((quantized / "model.safetensors").read_bytes()[:-1])
    assert "model.safetensors is not whole" in refused("short")
    (tmp_path / "short/model.safetensors").unlink()
    assert "model.safetensors is not whole" in refused("short")

    shutil.copytree(other, tmp_path / "foreign")
    manifest = json.loads((quantized / QUANTIZATION_FILE).read_text())
    manifest["files"] = {"model.safetensors": (other / "model.safetensors").stat().st_size}
    (tmp_path / "foreign" / QUANTIZATION_FILE).write_text(json.dumps(manifest))
    assert "is not the one that" in refused("foreign")

    shutil.copytree(base, tmp_path / "broken")
    (tmp_path / "broken" / QUANTIZATION_FILE).write_text("{}")
    assert QUANTIZATION_FILE in refused("broken")


def test_what_the_default_chose_is_announced_without_alarm(folders: tuple[Path, Path, Path], tmp_path: Path) -> None:
    quantize(Plan(folders[0], "one", METHODS["int8"], None, 1, 1), tmp_path / "one", lambda *_: None)
    said = check_quantized_base(str(tmp_path / "one"))
    assert said is not None and "warning" not in said
    assert "one through int8 (8 bits)" in said and "docs/explanation/quantization.md" in said
    assert "warning" in (check_quantized_base(str(folders[1])) or "")

"""The parsers of what the registry did not write: whatever the bytes, a value or the one error that says so."""

import json
import struct
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.registry.adapter_config import AdapterConfig, read_adapter_config
from adapters.registry.canonical import canonical_json, parse_json, read_json
from adapters.registry.errors import Refused
from adapters.registry.manifest import Manifest, read_manifest
from adapters.registry.safetensors_header import read_header
from benchmarks.registry.fuzz import Fuzz
from tests.support.tiny_models import adapter_config, manifest_for, write_adapter

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def written(name: str, content: bytes) -> Any:
    """A scratch folder with one file, made anew for each example."""
    scratch = tempfile.TemporaryDirectory()
    Path(scratch.name, name).write_bytes(content)
    return scratch


@settings(deadline=None)
@given(st.binary(max_size=300) | ANY.map(lambda value: json.dumps(value).encode()))
def test_json_is_read_strictly_or_not_at_all(content: bytes) -> None:
    try:
        value = parse_json(content, "x.json")
    except ValueError as error:
        assert str(error).startswith("x.json") and len(str(error)) < 200
        return
    assert json.loads(canonical_json(value)) == value


@pytest.mark.parametrize(
    "content",
    [b"NaN", b"[Infinity]", b"1e999", b'"\\ud800"', b"[" * 70 + b"]" * 70, b"[" * 10**6, b"9" * 5000, b"\xff", b""],
)
def test_what_is_no_strict_json(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"^x\.json"):
        parse_json(content, "x.json")


def test_a_file_that_is_too_large_or_no_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"[" + b" " * 100 + b"]")
    with pytest.raises(ValueError, match="more than 50"):
        read_json(tmp_path / "x.json", 50)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ValueError, match="not a plain file"):
        read_json(tmp_path / "folder", 50)


HEADER = st.dictionaries(
    st.text(max_size=20),
    st.fixed_dictionaries({"dtype": ANY | st.just("F32"), "shape": ANY, "data_offsets": ANY}) | ANY,
    max_size=3,
)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | (HEADER | ANY).map(lambda value: json.dumps(value).encode()), st.integers(-8, 8))
def test_a_header_reads_or_is_a_value_error(header: bytes, more: int) -> None:
    content = struct.pack("<Q", max(len(header) + more, 0)) + header + bytes(64)
    with written("adapter_model.safetensors", content) as scratch:
        path = Path(scratch, "adapter_model.safetensors")
        try:
            tensors = read_header(path)
        except ValueError:
            return
        for tensor in tensors.values():
            assert tensor.offset >= 8 and tensor.offset + tensor.size <= path.stat().st_size


CONFIG = st.fixed_dictionaries({}, optional=dict.fromkeys(AdapterConfig.model_fields, ANY))


@settings(max_examples=150, deadline=None)
@given(CONFIG, st.booleans())
def test_a_configuration_reads_or_is_refused_in_a_line(changes: dict[str, Any], nan: bool) -> None:
    content = json.dumps({**adapter_config(), **changes}, allow_nan=True).encode()
    with written("adapter_config.json", content) as scratch:
        try:
            config = read_adapter_config(Path(scratch), 16)
        except Refused as refused:
            assert "\n" not in str(refused)
            return
        assert 1 <= config.largest_rank <= 16 and config.lora_alpha > 0


MANIFEST = st.fixed_dictionaries({}, optional=dict.fromkeys(Manifest.model_fields, ANY))


@settings(max_examples=150, deadline=None)
@given(MANIFEST)
def test_a_manifest_reads_or_is_a_value_error(changes: dict[str, Any]) -> None:
    good = {
        "format": 1,
        "name": "cni",
        "base": {"name": "b", "fingerprint": "0" * 64, "architecture": "X", "hidden_size": 8, "layers": 1},
        "sha256": "1" * 64,
    }
    with written("manifest.json", json.dumps({**good, **changes}).encode()) as scratch:
        try:
            manifest = read_manifest(Path(scratch))
        except ValueError:
            return
        assert manifest is not None and canonical_json(manifest.model_dump(mode="json", by_alias=True))


def test_four_hundred_changed_files_crash_nothing(tmp_path: Path, base_folder: Path) -> None:
    """The fuzz itself (python -m benchmarks.registry.fuzz), briefly and always the same."""
    adapter = write_adapter(tmp_path / "adapter", manifest=manifest_for(base_folder))
    fuzz = Fuzz(tmp_path / "fuzz", adapter, seed=1, keep=tmp_path / "crashes")
    for _ in range(400):
        fuzz.one()
    counts = fuzz.counts()
    assert fuzz.crashes == 0, sorted(path.read_text() for path in (tmp_path / "crashes").glob("*.txt"))
    outcomes = {outcome for of in counts["by_file"].values() for outcome in of["outcomes"]}  # type: ignore[attr-defined]
    assert {"may serve", "unpacked", "read", "damaged", "manifest", "safetensors"} <= outcomes, "it reaches both sides"

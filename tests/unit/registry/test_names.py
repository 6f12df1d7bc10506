"""Digest and fingerprint: what they depend on, and what they must not depend on."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from adapters.registry.digest import content_digest
from adapters.registry.fingerprint import EMBEDDING, base_fingerprint
from adapters.registry.manifest import Manifest, read_manifest

MANIFEST = {
    "format": 1,
    "name": "cni",
    "base": {"name": "b", "fingerprint": "0" * 64, "architecture": "LlamaForCausalLM", "hidden_size": 8, "layers": 1},
    "sha256": "1" * 64,
}


def adapter(folder: Path, manifest: dict[str, object] | None = None) -> Path:
    folder.mkdir()
    (folder / "adapter_config.json").write_text('{"r": 16}')
    save_file({"a": torch.ones(2, 2)}, folder / "adapter_model.safetensors")
    if manifest is not None:
        (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def base(folder: Path, weights: torch.Tensor, config: dict[str, object], name: str = "model.safetensors") -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    save_file({EMBEDDING: weights}, folder / name)
    return folder


def test_scores_and_revision_and_spacing_do_not_change_the_digest(tmp_path: Path) -> None:
    one = content_digest(adapter(tmp_path / "a", MANIFEST))
    two = content_digest(adapter(tmp_path / "b", {"scores": {"x": 1}, "revision": one[:12], **MANIFEST}))
    (tmp_path / "b" / "plot.png").write_bytes(b"not content")
    assert one == two == content_digest(tmp_path / "b")
    assert len(one) == 64


def test_recipe_config_weights_and_absence_of_a_manifest_change_the_digest(tmp_path: Path) -> None:
    digests = {
        content_digest(adapter(tmp_path / "a")),
        content_digest(adapter(tmp_path / "b", MANIFEST)),
        content_digest(adapter(tmp_path / "c", {**MANIFEST, "recipe": {"epochs": 1}})),
    }
    changed = adapter(tmp_path / "d", MANIFEST)
    (changed / "adapter_config.json").write_text('{"r": 8}')
    digests.add(content_digest(changed))
    heavier = adapter(tmp_path / "e", MANIFEST)
    save_file({"a": torch.zeros(2, 2)}, heavier / "adapter_model.safetensors")
    digests.add(content_digest(heavier))
    assert len(digests) == 5


def test_fingerprint_survives_container_dtype_and_irrelevant_config(tmp_path: Path) -> None:
    weights = torch.randn(3000, 64).bfloat16()
    reference = base_fingerprint(base(tmp_path / "bf16", weights, {"hidden_size": 64}))
    as_float = base(tmp_path / "f32", weights.float(), {"hidden_size": 64, "dtype": "float32", "architectures": ["X"]})
    assert base_fingerprint(as_float) == reference
    sharded = base(tmp_path / "shards", weights, {"hidden_size": 64}, "model-00001-of-00002.safetensors")
    index = {"weight_map": {EMBEDDING: "model-00001-of-00002.safetensors", "x": "model-00002-of-00002.safetensors"}}
    (sharded / "model.safetensors.index.json").write_text(json.dumps(index))
    assert base_fingerprint(sharded) == reference


def test_fingerprint_rounds_as_torch_does(tmp_path: Path) -> None:
    exact = torch.randn(3000, 64)
    full = base_fingerprint(base(tmp_path / "f32", exact, {}))
    assert full == base_fingerprint(base(tmp_path / "bf16", exact.bfloat16(), {}))


@pytest.mark.parametrize("change", ["config", "first", "last"])
def test_fingerprint_tells_bases_of_one_shape_apart(tmp_path: Path, change: str) -> None:
    weights = torch.randn(3000, 64)
    reference = base_fingerprint(base(tmp_path / "a", weights, {"rope_theta": 1}))
    other = weights.clone()
    if change != "config":
        other[0 if change == "first" else -1, 3] += 1
    config = {"rope_theta": 2 if change == "config" else 1}
    assert base_fingerprint(base(tmp_path / "b", other, config)) != reference


def test_fingerprint_of_a_base_without_embedding_says_so(tmp_path: Path) -> None:
    folder = base(tmp_path / "a", torch.ones(2, 2), {})
    save_file({"other": torch.ones(2)}, folder / "model.safetensors")
    with pytest.raises(ValueError, match="embed_tokens"):
        base_fingerprint(folder)


def test_manifest_keeps_what_it_does_not_know_and_names_what_is_wrong(tmp_path: Path) -> None:
    assert Manifest.model_validate({**MANIFEST, "note": "x"}).model_dump()["note"] == "x"
    broken = adapter(tmp_path / "a", {**MANIFEST, "sha256": "short"})
    with pytest.raises(ValueError, match="sha256"):
        read_manifest(broken)
    assert read_manifest(adapter(tmp_path / "b")) is None

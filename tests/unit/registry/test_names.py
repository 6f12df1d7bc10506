"""Digest and fingerprint: what they depend on, and what they must not depend on."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from adapters.registry.digest import content_digest
from adapters.registry.errors import Refused
from adapters.registry.fingerprint import EMBEDDING, KNOWN_BASES, base_fingerprint, weights_fingerprint
from adapters.registry.manifest import Manifest, read_manifest
from adapters.registry.validate import Rules, check_header
from tests.support.tiny_models import manifest_for, write_adapter

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


def layered(folder: Path, tensors: dict[str, torch.Tensor], **config: object) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"hidden_size": 64, "tie_word_embeddings": True, **config}))
    save_file(tensors, folder / "model.safetensors")
    return folder


def some_layers(seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = {EMBEDDING: (3000, 64), "model.layers.0.self_attn.q_proj.weight": (64, 64), "model.norm.weight": (64,)}
    return {name: torch.randn(shape, generator=generator).bfloat16() for name, shape in shapes.items()}


def test_a_base_with_an_adapter_merged_into_it_is_another_base(tmp_path: Path) -> None:
    """Its embedding, and so the first fingerprint, is the same."""
    original, merged = some_layers(), some_layers()
    merged["model.layers.0.self_attn.q_proj.weight"] += torch.randn(64, 2) @ torch.randn(2, 64)
    one, two = layered(tmp_path / "one", original), layered(tmp_path / "two", merged)
    assert base_fingerprint(one) == base_fingerprint(two)
    assert weights_fingerprint(one) != weights_fingerprint(two)


@pytest.mark.parametrize("place", [0, 32 * 64, -1])
def test_each_tensor_is_looked_into_at_its_beginning_middle_and_end(tmp_path: Path, place: int) -> None:
    changed = some_layers()
    changed["model.layers.0.self_attn.q_proj.weight"].view(-1)[place] += 1
    assert weights_fingerprint(layered(tmp_path / "one", some_layers())) != weights_fingerprint(
        layered(tmp_path / "two", changed)
    )


def test_weights_fingerprint_survives_container_dtype_tied_head_and_irrelevant_config(tmp_path: Path) -> None:
    tensors = some_layers()
    reference = weights_fingerprint(layered(tmp_path / "one", tensors))
    wide = {name: tensor.float() for name, tensor in tensors.items()}
    assert weights_fingerprint(layered(tmp_path / "two", wide, dtype="float32", use_cache=False)) == reference
    headed = {**tensors, "lm_head.weight": tensors[EMBEDDING].clone()}
    assert weights_fingerprint(layered(tmp_path / "three", headed)) == reference
    sharded = layered(tmp_path / "four", {})
    (sharded / "model.safetensors").unlink()
    places = {name: f"model-{index}.safetensors" for index, name in enumerate(tensors)}
    for name, file in places.items():
        save_file({name: tensors[name]}, sharded / file)
    (sharded / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    save_file({"left": torch.ones(2)}, sharded / "consolidated.safetensors")
    assert weights_fingerprint(sharded) == reference


def test_a_rounded_base_does_not_say_what_it_was(tmp_path: Path) -> None:
    assert weights_fingerprint(layered(tmp_path / "one", some_layers(), quantization_config={"bits": 4})) is None
    rounded = {**some_layers(), "model.layers.0.self_attn.q_proj.weight": torch.ones(64, 64, dtype=torch.int8)}
    assert weights_fingerprint(layered(tmp_path / "two", rounded)) is None


def test_the_shipped_adapter_names_a_base_whose_layers_are_known() -> None:
    """Its manifest is older than the second fingerprint, and its name is its content: the registry knows the rest."""
    manifests = list(Path("adapters").glob("cni*/????????????/manifest.json"))
    assert manifests
    for path in manifests:
        named = json.loads(path.read_text(encoding="utf-8"))["base"]
        assert named.get("weights") or named["fingerprint"] in KNOWN_BASES


@pytest.mark.parametrize(
    ("named", "served", "check"),
    [
        ("a" * 64, "a" * 64, None),
        ("a" * 64, "b" * 64, "base-weights"),
        (None, "b" * 64, None),
        ("a" * 64, None, None),
    ],
)
def test_an_adapter_of_another_bases_layers_is_refused(
    tmp_path: Path, base_folder: Path, rules: Rules, named: str | None, served: str | None, check: str | None
) -> None:
    described = {**manifest_for(base_folder)["base"], **({"weights": named} if named else {})}
    folder = write_adapter(tmp_path / "a", manifest={**manifest_for(base_folder), "base": described})
    against = replace(rules, base=replace(rules.base, weights=served))
    if check is None:
        check_header(folder, against)
        return
    with pytest.raises(Refused, match="merge or further training") as refused:
        check_header(folder, against)
    assert refused.value.check == check


def test_a_merged_base_does_not_serve_an_old_manifest_of_a_known_base(
    tmp_path: Path, base_folder: Path, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KNOWN_BASES, rules.base.fingerprint, "a" * 64)
    folder = write_adapter(tmp_path / "a", manifest=manifest_for(base_folder))
    with pytest.raises(Refused, match="other layers"):
        check_header(folder, rules)


def test_manifest_keeps_what_it_does_not_know_and_names_what_is_wrong(tmp_path: Path) -> None:
    assert Manifest.model_validate({**MANIFEST, "note": "x"}).model_dump()["note"] == "x"
    broken = adapter(tmp_path / "a", {**MANIFEST, "sha256": "short"})
    with pytest.raises(ValueError, match="sha256"):
        read_manifest(broken)
    assert read_manifest(adapter(tmp_path / "b")) is None

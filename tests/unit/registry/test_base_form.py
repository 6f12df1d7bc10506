"""An adapter that learned on another form of the base is served, with a warning."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.registry.base_form import form_of, form_warning, rounding_of
from adapters.registry.base_model import read_base
from adapters.registry.manifest import FormName, Manifest, TrainedOn
from adapters.registry.quantization import QUANTIZATION_FILE, Quantization
from tests.support.tiny_models import manifest_for, write_base


def _manifest(base: Path, trained_on: TrainedOn | None) -> Manifest:
    return Manifest.model_validate({**manifest_for(base), "sha256": "0" * 64, "trained_on": trained_on})


@pytest.mark.parametrize(
    ("method", "bits", "form"), [("int8", 8, "int8"), ("gptq", 4, "int4"), ("nf4", 4, "nf4"), (None, 16, "bf16")]
)
def test_the_form_of_a_base_is_in_its_quantizations_manifest(
    tmp_path: Path, method: str | None, bits: int, form: FormName
) -> None:
    base = write_base(tmp_path / "base")
    if method is not None:
        made = Quantization(
            method=method,
            bits=bits,
            activations="none",
            embedding="bfloat16",
            stored="packed",
            base=_manifest(base, None).base,
            modules=1,
            error=0.1,
            files={},
            seconds=1,
        )
        (base / QUANTIZATION_FILE).write_text(made.to_json())
    assert form_of(base) == form
    assert read_base(base).form == form
    assert read_base(base).rounding == (method or "")


@pytest.mark.parametrize(
    ("foreign", "form", "rounding"),
    [
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, "int4", "awq-4"),
        ({"quant_method": "fp8", "activation_scheme": "dynamic"}, "other", "fp8-None"),
        ({"quant_method": "bitsandbytes", "bnb_4bit_quant_type": "nf4"}, "nf4", "bitsandbytes-None"),
        (
            {"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": {"num_bits": 8, "type": "int"}}}},
            "int8",
            "compressedtensors-8",
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"g": {"weights": {"num_bits": 8, "type": "float"}}},
            },
            "other",
            "compressedtensors-None",
        ),
    ],
)
def test_a_base_that_others_quantized_is_not_taken_for_the_original(
    tmp_path: Path, foreign: dict[str, Any], form: FormName, rounding: str
) -> None:
    base = write_base(tmp_path / "base")
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "quantization_config": foreign}))
    assert form_of(base) == form
    assert rounding_of(base) == rounding


def test_only_another_form_is_worth_a_warning(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base")
    learned = _manifest(base, TrainedOn(form="nf4"))
    said = form_warning("cni@1", learned, "bf16")
    assert said is not None
    assert "cni@1 was trained on the base in nf4, this server has it in bf16" in said
    assert form_warning("cni@1", learned, "nf4") is None
    assert form_warning("cni@1", _manifest(base, None), "int4") is None
    assert form_warning("cni@1", None, "int4") is None


def test_an_older_manifest_says_it_by_its_recipe(tmp_path: Path) -> None:
    older = _manifest(write_base(tmp_path / "base"), None).model_copy(update={"recipe": {"method": "lora"}})
    assert form_warning("cni@1", older, "bf16") is None
    said = form_warning("cni@1", older, "int8")
    assert said is not None
    assert "trained on the base in bf16, this server has it in int8" in said
    assert "int8 keeps" in said and "evaluate" not in said, "the default chose it: the table says what it costs"
    assert "evaluate it here" in (form_warning("cni@1", older, "int4") or "")

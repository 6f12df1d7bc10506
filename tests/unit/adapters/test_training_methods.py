"""LoRA, QLoRA and QAT-LoRA on a tiny random base: the forms of the base, and what a run of each says of itself."""

import json
import shutil
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from adapters.errors import BaseModelError, RecipeError
from adapters.quantize.methods import METHODS as METHODS_OF_QUANTIZE
from adapters.quantize.rounding import round_to_nearest, scheme_of
from adapters.registry.manifest import read_manifest
from adapters.training import loop, memory, publish
from adapters.training import teacher_forced as judging
from adapters.training.attention import lean_attention
from adapters.training.base_precision import BF16, NF4, Form, form_of, load_base, weight_bytes
from adapters.training.examples import Examples, prepare
from adapters.training.log import Log
from adapters.training.model import collate, loss_of, with_adapter
from adapters.training.qat import rounded
from adapters.training.recipe import Lora, Optimization, Qat, Recipe
from adapters.training.recipe_data import Data
from tests.support.tiny_models import write_base

RECIPE = Recipe(
    name="tiny",
    data=Data(documents=("cni-2025-recto",), text=24, validation=4),
    optimization=Optimization(batch=4, learning_rate=5e-3),
    evaluate_every=3,
    checkpoint_every=6,
)
METHODS: dict[str, dict[str, Any]] = {
    "lora": {},
    "qlora": {"method": "qlora"},
    "int8": {"method": "qat-lora"},
    "int4": {"method": "qat-lora", "qat": Qat(weights="int4", group=32, activations="none")},
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("base") / "tiny-base")


@pytest.fixture(scope="module")
def examples(base: Path) -> Examples:
    return prepare(RECIPE, base, AutoTokenizer.from_pretrained(base))


def _frozen(model: Any) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in model.named_parameters() if "lora_" not in name}


@pytest.mark.parametrize("kind", METHODS)
def test_each_method_learns_with_the_base_frozen_and_says_which_form_it_saw(
    kind: str, base: Path, examples: Examples, tmp_path: Path
) -> None:
    recipe = RECIPE.model_copy(update={**METHODS[kind], "base": str(base)})
    torch.manual_seed(0)
    model = with_adapter(base, recipe.lora, form=form_of(recipe))
    before = _frozen(model)
    log = loop.train(model, recipe, examples, tmp_path / "checkpoint", lambda log, steps: None)
    assert log.losses[-1] < log.losses[0]
    assert all(torch.equal(value, before[name]) for name, value in _frozen(model).items())
    revision = publish.write_revision(model, recipe, base, tmp_path, {"samples": 24})
    manifest = read_manifest(revision)
    assert manifest is not None and manifest.trained_on is not None
    assert manifest.trained_on.form == {"lora": "bf16", "qlora": "nf4"}.get(kind, kind)
    assert len(load_file(revision / "adapter_model.safetensors")) == 2 * 2 * 2
    assert str(base.parent) not in (revision / "manifest.json").read_text()


def test_nf4_takes_about_a_quarter_of_the_linear_layers_memory(base: Path) -> None:
    full, small = load_base(base), load_base(base, NF4)
    linear = sum(m.weight.nbytes for m in full.model.modules() if type(m) is torch.nn.Linear)
    rest = weight_bytes(full) - linear
    assert rest > 0
    assert linear * 0.25 < weight_bytes(small) - rest < linear * 0.45  # tiny layers: the code table weighs


def test_a_bases_memory_is_counted_as_it_will_be(base: Path, tmp_path: Path) -> None:
    """Before anything is loaded: what lies on disk in float32 is loaded in bfloat16, NF4 leaves the vocabulary."""
    full, small = load_base(base), load_base(base, NF4)
    assert memory.base_bytes(base, "lora") == pytest.approx(weight_bytes(full), rel=0.01)
    codes = 1200 * sum("4bit" in type(module).__name__ for module in small.modules())  # each layer's own tables
    assert codes and 0 < weight_bytes(small) - memory.base_bytes(base, "qlora") < codes
    wide = tmp_path / "wide"
    shutil.copytree(base, wide)
    tensors = {name: tensor.float() for name, tensor in load_file(base / "model.safetensors").items()}
    save_file(tensors, wide / "model.safetensors")
    assert memory.base_bytes(wide, "lora") == memory.base_bytes(base, "lora")


def test_a_look_at_the_validation_samples_leaves_nf4_gradients_as_they_were(base: Path, examples: Examples) -> None:
    """bitsandbytes repacks weights in evaluation mode on some processors, and then passes no gradient through them."""
    torch.manual_seed(0)
    model = with_adapter(base, Lora(r=4, alpha=8, dropout=0), form=NF4)

    def gradient() -> torch.Tensor:
        model.zero_grad()
        loss_of(model, *collate(examples.training[:2], examples.pad)).backward()
        return torch.cat([p.grad.flatten() for p in model.parameters() if p.requires_grad and p.grad is not None])

    before = gradient()
    judging.judge(model, examples.validation, examples.pad, 2)
    assert before.abs().sum() > 0
    torch.testing.assert_close(gradient(), before)


@pytest.mark.parametrize(("bits", "group"), [(8, 64), (4, 32)])
def test_the_rounded_base_has_as_many_levels_as_its_bits(base: Path, bits: int, group: int) -> None:
    qat = Qat(weights="int8" if bits == 8 else "int4", group=group, activations="none")
    rounded = load_base(base, Form(qat.weights, qat)).model.layers[0].mlp.up_proj.weight.float()
    original = load_base(base).model.layers[0].mlp.up_proj.weight.float()
    step = original.reshape(-1, group).abs().amax(1, keepdim=True) / ((2**bits - 1) / 2)
    assert torch.all((rounded - original).reshape(-1, group).abs() <= step * 1.02 + 1e-3)
    assert not torch.equal(rounded, original)
    assert max(len(row.unique()) for row in rounded.reshape(-1, group)) <= 2**bits


@pytest.mark.parametrize("weights", ["int8", "int4"])
def test_the_rounded_base_is_the_one_that_quantize_writes(base: Path, weights: Literal["int8", "int4"]) -> None:
    """Trained against what will serve: the same grid, but for rounding at its edges and to bfloat16."""
    imitated = load_base(base, Form(weights, Qat(weights=weights, activations="none"))).model.layers[1].mlp.down_proj
    method = METHODS_OF_QUANTIZE[weights]
    original = load_base(base).model.layers[1].mlp.down_proj.weight
    served = round_to_nearest(original, scheme_of(method, method.group), method.stored).weight
    same = torch.isclose(imitated.weight.float(), served.float(), rtol=0.01, atol=1e-6)
    assert same.float().mean() > 0.99


def test_rounded_activations_change_the_answer_and_pass_gradients_on(base: Path) -> None:
    tokens = torch.arange(2, 34).reshape(1, -1)
    qat = Qat()
    with_activations = load_base(base, Form("int8", qat))
    weights_alone = load_base(base, Form("int8", qat.model_copy(update={"activations": "none"})))
    one, other = (model(input_ids=tokens).logits for model in (with_activations, weights_alone))
    assert not torch.equal(one, other)
    inputs = torch.randn(1, 8, 64, dtype=torch.bfloat16, requires_grad=True)
    with_activations.model(inputs_embeds=inputs).last_hidden_state.float().sum().backward()
    assert inputs.grad is not None
    assert inputs.grad.abs().sum() > 0


def test_activations_are_rounded_as_what_serves_rounds_them() -> None:
    """Each token by its largest number, which becomes 127, and without a zero point: what is 0 stays 0."""
    rows = [[12.7, -0.04, 0.06, 0.0], [0.0, 0.0, 0.0, 0.0], [-5.0, -4.0, -3.0, -254.0]]
    tokens = torch.tensor(rows, requires_grad=True)
    wanted = torch.tensor([[12.7, 0.0, 0.1, 0.0], [0.0, 0.0, 0.0, 0.0], [-4.0, -4.0, -4.0, -254.0]])
    result = rounded(tokens)
    torch.testing.assert_close(result, wanted)
    (result * torch.arange(4.0)).sum().backward()
    assert tokens.grad is not None and torch.equal(tokens.grad, torch.arange(4.0).expand(3, 4))
    assert rounded(tokens.bfloat16()).dtype == torch.bfloat16


def test_a_group_that_does_not_divide_the_base_is_refused(base: Path) -> None:
    with pytest.raises(RecipeError, match=r"qat\.group 48 does not divide the 64 inputs"):
        load_base(base, Form("int4", Qat(weights="int4", group=48)))


def test_targets_that_the_base_has_not_are_refused(base: Path) -> None:
    with pytest.raises(RecipeError, match=r"tiny-base does not take lora\.targets query"):
        with_adapter(base, Lora(targets=("query",)))


def test_a_base_that_is_quantized_already_is_refused(tmp_path: Path) -> None:
    folder = write_base(tmp_path / "packed")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"quantization_config": {"quant_method": "gptq"}}))
    with pytest.raises(BaseModelError, match="packed is quantized already"):
        load_base(folder, BF16)


def test_a_base_with_broken_weights_is_refused(tmp_path: Path) -> None:
    folder = write_base(tmp_path / "torn")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(BaseModelError, match="torn cannot be loaded"):
        load_base(folder, BF16)


def test_checkpointing_computes_the_same(base: Path, examples: Examples, tmp_path: Path) -> None:
    losses = []
    for on in (False, True):
        torch.manual_seed(0)
        model = with_adapter(base, RECIPE.lora, checkpointing=on)
        folder = tmp_path / str(on)
        losses.append(loop.train(model, RECIPE, examples, folder, lambda log, steps: None).losses)
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_lean_attention_is_attention() -> None:
    generator = torch.Generator().manual_seed(1)
    shapes = ((2, 6, 17, 8), (2, 2, 17, 8), (2, 2, 17, 8))
    ours = [torch.randn(shape, generator=generator).requires_grad_() for shape in shapes]
    theirs = [tensor.detach().double().requires_grad_() for tensor in ours]
    out, _ = lean_attention(torch.nn.Identity(), *ours, None, scaling=0.4)
    query, key, value = theirs[0], *(tensor.repeat_interleave(3, 1) for tensor in theirs[1:])
    true = torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True, scale=0.4)
    true = true.transpose(1, 2)
    torch.testing.assert_close(out.double(), true, atol=1e-5, rtol=1e-4)
    weight = torch.randn(true.shape, generator=generator)
    (out * weight).sum().backward()
    (true * weight).sum().backward()
    for mine, exact in zip(ours, theirs, strict=True):
        assert mine.grad is not None and exact.grad is not None
        torch.testing.assert_close(mine.grad.double(), exact.grad, atol=1e-5, rtol=1e-4)


def test_lean_attention_in_bfloat16_errs_no_more_than_eager(base: Path, examples: Examples) -> None:
    """Gradients of the adapter, against the same model in float32."""

    def gradient(attention: str, dtype: torch.dtype) -> torch.Tensor:
        torch.manual_seed(3)
        model = with_adapter(base, RECIPE.lora).to(dtype)
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.1)
        model.base_model.model.set_attn_implementation(attention)
        hidden = model.base_model.model.model(input_ids=torch.tensor([examples.training[0].tokens])).last_hidden_state
        (hidden.float() ** 3).sum().backward()
        return torch.cat(
            [p.grad.float().flatten() for p in model.parameters() if p.requires_grad and p.grad is not None]
        )

    exact = gradient("eager", torch.float32)
    errors = {name: float((gradient(name, torch.bfloat16) - exact).norm() / exact.norm()) for name in ("eager", "lean")}
    assert errors["lean"] < 1.5 * errors["eager"]


def test_one_wrong_token_costs_its_field_and_its_answer(examples: Examples, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = examples.validation[0].fields[2][0]  # the third field's first token, of the first answer

    def teacher(model: Any, tokens: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        wanted = targets[targets >= 0]
        said = wanted.clone()
        if torch.equal(tokens[0, : len(examples.validation[0].tokens)], torch.tensor(examples.validation[0].tokens)):
            said[wrong] += 1
        return torch.nn.functional.one_hot(said, 400).float(), wanted

    monkeypatch.setattr(judging, "answer_logits", teacher)
    seen = judging.judge(torch.nn.Identity(), examples.validation, examples.pad, 2)
    assert seen["exact"] == 3 / 4
    assert seen["fields"] == 1 - 1 / sum(len(example.fields) for example in examples.validation)


@pytest.mark.parametrize(
    ("shares", "best", "over"),
    [
        ([0.5], 0, False),
        ([0.5, 0.6, 0.6], 1, False),
        ([0.5, 0.6, 0.6, 0.4], 1, True),
        ([0.5, 0.4, 0.3, 0.6], 3, False),
    ],
)
def test_patience_counts_looks_without_more_fields_right(shares: list[float], best: int, over: bool) -> None:
    recipe = Recipe.model_validate({"name": "a", "early_stopping": {"patience": 2}})
    log = Log()
    for number, share in enumerate(shares):
        log.validation.append({"step": number, "fields": share, "loss": 1.0 + number, "exact": 0.0})
        if loop.is_best(log):
            log.best_step = number
    assert log.best_step == best
    assert loop.exhausted(log, recipe) is over
    assert not loop.exhausted(log, RECIPE)


def test_a_stopped_run_ends_with_its_best_weights(base: Path, examples: Examples, tmp_path: Path) -> None:
    changes = {
        "early_stopping": {"patience": 1},
        "evaluate_every": 1,
        "optimization": {"batch": 4, "learning_rate": 0.5},  # soon worse than the start
    }
    recipe = Recipe.model_validate({**RECIPE.model_dump(), **changes})
    torch.manual_seed(0)
    model = with_adapter(base, recipe.lora)
    log = loop.train(model, recipe, examples, tmp_path / "checkpoint", lambda log, steps: None)
    assert log.best_step < log.step < 6
    best = next(look for look in log.validation if look["step"] == log.best_step)
    again = judging.judge(model, examples.validation, examples.pad, 4)
    assert again["loss"] == pytest.approx(best["loss"])

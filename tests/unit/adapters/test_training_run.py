"""A run on a tiny random base: it learns, it resumes with the same weights, it writes a revision that checks out."""

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from adapters.errors import RecipeError
from adapters.registry.canonical import file_sha256
from adapters.registry.digest import content_digest, revision_name
from adapters.registry.manifest import read_manifest
from adapters.training import checkpoint, loop, publish, sanity
from adapters.training.examples import prepare
from adapters.training.log import Log
from adapters.training.model import with_adapter
from adapters.training.recipe import Optimization, Recipe
from adapters.training.recipe_data import Data
from tests.support.tiny_models import write_base

RECIPE = Recipe(
    name="tiny",
    data=Data(documents=("cni-2025-recto",), text=24, validation=4),
    optimization=Optimization(batch=4, learning_rate=5e-3),
    evaluate_every=3,
    checkpoint_every=2,
)


class Broken(Exception):
    """The run is broken off here."""


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("base") / "tiny-base")


def _run(
    base: Path, folder: Path, stop_after: int | None = None, recipe: Recipe = RECIPE, steps: int = 6
) -> tuple[Log, Any]:
    from transformers import AutoTokenizer

    torch.manual_seed(RECIPE.seed)
    model = with_adapter(base, RECIPE.lora)
    examples = prepare(RECIPE, folder, AutoTokenizer.from_pretrained(base))

    def watch(log: Log, planned: int) -> None:
        assert planned == steps
        if log.step == stop_after:
            raise Broken

    return loop.train(model, recipe, examples, folder / "checkpoint", watch), model


def _weights(model: Any) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in model.named_parameters() if value.requires_grad}


@pytest.fixture(scope="module")
def unbroken(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Log, Any]:
    return _run(base, tmp_path_factory.mktemp("unbroken"))


def test_the_loss_falls(unbroken: tuple[Log, Any]) -> None:
    losses = unbroken[0].losses
    assert len(losses) == 6
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("stop_after", [1, 2, 3, 5])
def test_a_broken_run_ends_with_the_weights_of_an_unbroken_one(
    base: Path, tmp_path: Path, unbroken: tuple[Log, Any], stop_after: int
) -> None:
    with pytest.raises(Broken):
        _run(base, tmp_path, stop_after)
    log, model = _run(base, tmp_path)
    expected = _weights(unbroken[1])
    assert log.step == 6
    assert all(torch.equal(value, expected[name]) for name, value in _weights(model).items())


def test_a_kill_between_the_two_renames_of_a_checkpoint_loses_nothing(base: Path, tmp_path: Path) -> None:
    with pytest.raises(Broken):
        _run(base, tmp_path, stop_after=4)
    (tmp_path / "checkpoint").rename(tmp_path / "checkpoint.old")
    model = with_adapter(base, RECIPE.lora)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad])
    assert checkpoint.load(tmp_path / "checkpoint", model, optimizer)[0].step == 4


def test_the_revision_is_named_by_its_content_and_says_nothing_of_this_machine(
    base: Path, tmp_path: Path, unbroken: tuple[Log, Any]
) -> None:
    recipe = RECIPE.model_copy(update={"base": str(base)})
    folder = publish.write_revision(unbroken[1], recipe, base, tmp_path, {"samples": 24})
    manifest = read_manifest(folder)
    assert manifest is not None
    assert folder.name == manifest.revision == revision_name(content_digest(folder))
    assert manifest.sha256 == file_sha256(folder / "adapter_model.safetensors")
    assert manifest.base.name == "tiny-base"
    assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny-base"
    assert len(load_file(folder / "adapter_model.safetensors")) == 2 * 2 * 2  # layers, modules, A and B
    assert str(base.parent) not in (folder / "manifest.json").read_text()
    assert not (folder.parent / ".writing").exists()
    again = publish.write_revision(unbroken[1], recipe, base, tmp_path, {"samples": 24, "seconds": 99, "machine": "b"})
    assert again == folder  # what a training took is no part of the name
    shutil.rmtree(folder)


def test_a_run_that_ends_early_has_the_weights_of_that_step_and_a_look_at_them(base: Path, tmp_path: Path) -> None:
    with pytest.raises(Broken):
        _run(base, tmp_path / "whole", stop_after=4)
    early = RECIPE.model_copy(update={"stop_after": 4})
    log, model = _run(base, tmp_path / "early", recipe=early, steps=4)
    assert (log.step, log.validation[-1]["step"]) == (4, 4)
    other = with_adapter(base, RECIPE.lora)
    optimizer = torch.optim.AdamW([p for p in other.parameters() if p.requires_grad])
    checkpoint.load(tmp_path / "whole" / "checkpoint", other, optimizer)
    expected = _weights(other)
    assert all(torch.equal(value, expected[name]) for name, value in _weights(model).items())


def test_a_revision_that_has_what_its_training_took_in_its_name_keeps_it() -> None:
    (shipped,) = Path("adapters/cni").glob("[0-9a-f]*")
    assert revision_name(content_digest(shipped)) == shipped.name


def test_a_loss_that_is_no_number_ends_the_run_before_it_is_kept(base: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    model = with_adapter(base, RECIPE.lora)
    next(p for p in model.parameters() if p.requires_grad).data.fill_(float("nan"))
    examples = prepare(RECIPE, tmp_path, AutoTokenizer.from_pretrained(base))
    with pytest.raises(
        RecipeError, match=r"step 1: the loss is no longer a number.*learning_rate than 0\.005"
    ) as ended:
        loop.train(model, RECIPE, examples, tmp_path / "checkpoint", lambda log, steps: None)
    assert "\n" not in str(ended.value)
    assert not (tmp_path / "checkpoint").exists()


@pytest.mark.parametrize(("loss", "norm"), [(math.inf, 1.0), (1.0, math.nan)])
def test_neither_loss_nor_gradient_may_be_no_number(loss: float, norm: float) -> None:
    with pytest.raises(RecipeError, match="no longer a number"):
        sanity.check_step(loss, norm, Log(), RECIPE)


def test_losses_that_run_away_are_told_from_noise() -> None:
    falling = [8.0 / (step + 1) for step in range(60)]
    assert not sanity.diverged(falling)
    assert not sanity.diverged([*falling, *[1.5] * 20])  # four times the best, but small
    assert not sanity.diverged([*falling, *[6.0] * 5])  # a few bad batches
    assert sanity.diverged([*falling, *[6.0] * 20])
    assert not sanity.diverged([9.0] * 30)

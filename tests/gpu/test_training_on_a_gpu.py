"""Training on an NVIDIA GPU. Elsewhere these tests say that they need one."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from adapters.training import loop
from adapters.training.base_precision import device, form_of
from adapters.training.examples import prepare
from adapters.training.log import Log
from adapters.training.model import with_adapter
from adapters.training.recipe import Optimization, Recipe
from adapters.training.recipe_data import Data
from tests.support.tiny_models import write_base

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="need an NVIDIA GPU and a CUDA build of PyTorch"),
]
RECIPE = Recipe(
    name="tiny",
    data=Data(documents=("cni-2025-recto",), text=32, validation=4),
    optimization=Optimization(batch=4, learning_rate=5e-3),
)


def _nothing(log: Log, steps: int) -> None:
    del log, steps


def _train(folder: Path, method: str) -> tuple[Log, Any]:
    base = write_base(folder / "base")
    recipe = RECIPE.model_copy(update={"method": method})
    torch.manual_seed(recipe.seed)
    model = with_adapter(base, recipe.lora, form=form_of(recipe), checkpointing=method == "qlora")
    examples = prepare(recipe, folder, AutoTokenizer.from_pretrained(base))
    return loop.train(model, recipe, examples, folder / "checkpoint", _nothing), model


@pytest.mark.parametrize("method", ["lora", "qlora", "qat-lora"])
def test_the_gpu_is_used_and_the_loss_falls(tmp_path: Path, method: str) -> None:
    log, model = _train(tmp_path, method)
    assert device().type == "cuda"
    assert all(parameter.is_cuda for parameter in model.parameters())
    assert log.losses[-1] < log.losses[0]
    assert log.peak_gpu_memory > 0


def test_qlora_pages_its_optimizer(tmp_path: Path) -> None:
    _, model = _train(tmp_path, "qlora")
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = loop.make_optimizer(trained, RECIPE.model_copy(update={"method": "qlora"}))
    assert type(optimizer).__name__ == "PagedAdamW32bit"

"""Training on an NVIDIA GPU. Elsewhere these tests say that they need one."""

from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer

from adapters.training import loop
from adapters.training.examples import prepare
from adapters.training.log import Log
from adapters.training.model import device, with_adapter
from adapters.training.recipe import Data, Optimization, Recipe
from tests.support.tiny_models import write_base

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU and a CUDA build of PyTorch"),
]
RECIPE = Recipe(
    name="tiny",
    data=Data(documents=("cni-2025-recto",), text=32, validation=4),
    optimization=Optimization(batch=4, learning_rate=5e-3),
)


def _nothing(log: Log, steps: int) -> None:
    del log, steps


def test_the_gpu_is_used_and_the_loss_falls(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base")
    torch.manual_seed(RECIPE.seed)
    model = with_adapter(base, RECIPE.lora)
    assert device().type == "cuda"
    assert next(model.parameters()).is_cuda
    examples = prepare(RECIPE, tmp_path, AutoTokenizer.from_pretrained(base))
    log = loop.train(model, RECIPE, examples, tmp_path / "checkpoint", _nothing)
    assert log.losses[-1] < log.losses[0]

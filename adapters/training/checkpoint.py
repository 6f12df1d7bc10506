"""Checkpoints: what a broken-off run needs to end with the weights of an unbroken one."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch

from adapters.training.log import Log

_STATE = "state.pt"
_LOG = "log.json"


def save(folder: Path, model: Any, optimizer: torch.optim.Optimizer, log: Log) -> None:
    """Replace the checkpoint in `folder` atomically: a kill at any moment leaves the old one or the new one."""
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    torch.save({"weights": _trainable(model), "optimizer": optimizer.state_dict()}, fresh / _STATE)
    (fresh / _LOG).write_text(json.dumps(log.__dict__))
    for path in fresh.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def load(folder: Path, model: Any, optimizer: torch.optim.Optimizer) -> Log:
    """Bring model and optimizer to the last checkpoint; an empty log where there is none."""
    for candidate in (folder, folder.with_name(folder.name + ".old")):
        if (candidate / _LOG).is_file():
            state = torch.load(candidate / _STATE, weights_only=True)
            model.load_state_dict(state["weights"], strict=False)
            optimizer.load_state_dict(state["optimizer"])
            return Log(**json.loads((candidate / _LOG).read_text()))
    return Log()


def _trainable(model: Any) -> dict[str, torch.Tensor]:
    return {name: value.detach().cpu() for name, value in model.named_parameters() if value.requires_grad}

"""Checkpoints: what a broken-off run needs to end with the weights of an unbroken one."""

import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch

from adapters.training.log import Log

_STATE = "state.pt"
_LOG = "log.json"


Weights = dict[str, torch.Tensor]


def save(folder: Path, model: Any, optimizer: torch.optim.Optimizer, log: Log, best: Weights | None = None) -> None:
    """Replace the checkpoint in `folder` atomically: a kill at any moment leaves the old one or the new one.

    `best` are the weights of the best look at the validation samples, where the run keeps them. A full disk leaves the
    old checkpoint as it was and raises OSError.
    """
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir(parents=True)
        state = io.BytesIO()  # torch.save into a file turns a full disk into a RuntimeError without its reason
        torch.save({"weights": trainable(model), "optimizer": optimizer.state_dict(), "best": best}, state)
        for name, content in ((_STATE, state.getvalue()), (_LOG, json.dumps(log.__dict__).encode())):
            with (fresh / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    old = folder.with_name(folder.name + ".old")
    if folder.exists():  # else a kill has left the old one as the only one
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def load(folder: Path, model: Any, optimizer: torch.optim.Optimizer) -> tuple[Log, Weights | None]:
    """Bring model and optimizer to the last checkpoint; its log and best weights. An empty log where there is none."""
    for candidate in (folder, folder.with_name(folder.name + ".old")):
        if (candidate / _LOG).is_file():
            state = torch.load(candidate / _STATE, weights_only=True)
            put(model, state["weights"])
            optimizer.load_state_dict(state["optimizer"])
            return Log(**json.loads((candidate / _LOG).read_text())), state.get("best")
    return Log(), None


def trainable(model: Any) -> Weights:
    """A copy of the adapter's weights."""
    return {name: value.detach().cpu().clone() for name, value in model.named_parameters() if value.requires_grad}


def put(model: Any, weights: Weights) -> None:
    """The opposite of `trainable`."""
    model.load_state_dict(weights, strict=False)

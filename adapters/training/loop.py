"""The training loop. Every step depends on (seed, step) alone, so a resumed run ends with the same weights."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from adapters.training import checkpoint
from adapters.training.dataset import batches
from adapters.training.examples import Examples
from adapters.training.log import Log
from adapters.training.model import collate, judge, loss_of
from adapters.training.recipe import Optimization, Recipe

Watch = Callable[[Log, int], None]


def train(model: Any, recipe: Recipe, examples: Examples, folder: Path, watch: Watch) -> Log:
    """Train `model`'s adapter in place, resuming from `folder` if it holds a checkpoint.

    `watch(log, steps)` is called after each step.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=0.0, weight_decay=recipe.optimization.weight_decay)
    plan = batches(examples.training, recipe.optimization.batch, recipe.seed)
    log = checkpoint.load(folder, model, optimizer)
    model.train()
    while log.step < len(plan):
        begun = time.perf_counter()
        chosen = [examples.training[index] for index in plan[log.step]]
        _set_rate(optimizer, recipe.optimization, log.step, len(plan))
        # Dropout must fall the same way whether or not the run was broken off before this step.
        torch.manual_seed(recipe.seed * 1_000_003 + log.step)
        loss = loss_of(model, *collate(chosen, examples.pad))
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(parameters, recipe.optimization.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        log.step += 1
        log.losses.append(float(loss.detach()))
        log.tokens += sum(len(example.tokens) for example in chosen)
        last = log.step == len(plan)
        if last or log.step % recipe.evaluate_every == 0:
            mean, exact = judge(model, examples.validation, examples.pad, recipe.optimization.batch)
            log.validation.append({"step": log.step, "loss": mean, "exact": exact})
        log.seconds += time.perf_counter() - begun
        if last or log.step % recipe.checkpoint_every == 0:
            checkpoint.save(folder, model, optimizer, log)
        watch(log, len(plan))
    return log


def _set_rate(optimizer: torch.optim.Optimizer, settings: Optimization, step: int, steps: int) -> None:
    """Linear warm-up, then a cosine from the full rate down to a tenth of it."""
    warmup = max(1, int(steps * settings.warmup_share))
    if step < warmup:
        factor = (step + 1) / warmup
    else:
        factor = 0.55 + 0.45 * math.cos(math.pi * (step - warmup) / max(1, steps - warmup))
    for group in optimizer.param_groups:
        group["lr"] = settings.learning_rate * factor

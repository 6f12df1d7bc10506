"""The training loop. Every step depends on (seed, step) alone, so a resumed run ends with the same weights."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from adapters.training import checkpoint, memory, sanity
from adapters.training.dataset import batches
from adapters.training.examples import Examples
from adapters.training.log import Log
from adapters.training.model import collate, loss_of
from adapters.training.recipe import Optimization, Recipe
from adapters.training.teacher_forced import judge

Watch = Callable[[Log, int], None]


def train(model: Any, recipe: Recipe, examples: Examples, folder: Path, watch: Watch) -> Log:
    """Train `model`'s adapter in place, resuming from `folder` if it holds a checkpoint.

    `watch(log, steps)` is called after each step. With early stopping the model ends with the best weights seen.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = make_optimizer(parameters, recipe)
    plan = batches(examples.training, recipe.optimization.batch, recipe.seed)
    log, best = checkpoint.load(folder, model, optimizer)
    model.train()
    end = min(len(plan), recipe.stop_after or len(plan))
    while log.step < end and not exhausted(log, recipe):
        begun = time.perf_counter()
        chosen = [examples.training[index] for index in plan[log.step]]
        _set_rate(optimizer, recipe.optimization, log.step, len(plan))
        # Dropout must fall the same way whether or not the run was broken off before this step.
        torch.manual_seed(recipe.seed * 1_000_003 + log.step)
        loss = loss_of(model, *collate(chosen, examples.pad))
        loss.backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(parameters, recipe.optimization.clip)
        sanity.check_step(float(loss.detach()), float(norm), log, recipe)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        log.step += 1
        log.losses.append(float(loss.detach()))
        log.tokens += sum(len(example.tokens) for example in chosen)
        log.seconds += time.perf_counter() - begun  # of training: looks at the validation samples are not in it
        if log.step == end or log.step % recipe.evaluate_every == 0:
            seen = judge(model, examples.validation, examples.pad, recipe.optimization.batch)
            log.validation.append({"step": log.step, **seen})
            if is_best(log):
                log.best_step = log.step
                best = checkpoint.trainable(model) if recipe.early_stopping else None
        log.peak_memory = max(log.peak_memory, memory.peak())
        log.peak_gpu_memory = max(log.peak_gpu_memory, memory.peak_gpu())
        if log.step == end or log.step % recipe.checkpoint_every == 0 or exhausted(log, recipe):
            checkpoint.save(folder, model, optimizer, log, best)
        watch(log, end)
    if best is not None:
        checkpoint.put(model, best)
    return log


def is_best(log: Log) -> bool:
    """Whether the last look is the best so far: more fields right, or as many at a lower loss."""
    *before, last = [(look["fields"], -look["loss"]) for look in log.validation]
    return all(last > other for other in before)


def exhausted(log: Log, recipe: Recipe) -> bool:
    """Whether the share of right fields has not grown for `patience` looks. Depends on the log alone."""
    if recipe.early_stopping is None or not log.validation:
        return False
    shares = [look["fields"] for look in log.validation]
    return len(shares) - 1 - shares.index(max(shares)) >= recipe.early_stopping.patience


def make_optimizer(parameters: list[torch.nn.Parameter], recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW; for qlora on a GPU bitsandbytes' paged one, whose moments leave for main memory at need."""
    decay = recipe.optimization.weight_decay
    if recipe.method == "qlora" and parameters[0].is_cuda:
        from bitsandbytes.optim import PagedAdamW32bit

        paged: torch.optim.Optimizer = PagedAdamW32bit(parameters, lr=0.0, weight_decay=decay)
        return paged
    return torch.optim.AdamW(parameters, lr=0.0, weight_decay=decay)


def _set_rate(optimizer: torch.optim.Optimizer, settings: Optimization, step: int, steps: int) -> None:
    """Linear warm-up, then a cosine from the full rate down to a tenth of it."""
    warmup = max(1, int(steps * settings.warmup_share))
    if step < warmup:
        factor = (step + 1) / warmup
    else:
        factor = 0.55 + 0.45 * math.cos(math.pi * (step - warmup) / max(1, steps - warmup))
    for group in optimizer.param_groups:
        group["lr"] = settings.learning_rate * factor

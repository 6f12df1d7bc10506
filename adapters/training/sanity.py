"""A run that no longer learns ends with one sentence, before its checkpoint is overwritten with what is of no use."""

import math
from statistics import fmean

from adapters.errors import RecipeError
from adapters.training.log import Log
from adapters.training.recipe import Recipe

_WINDOW = 20  # steps
_WORSE = 4.0  # times the best window's loss
_LEAST = 2.0  # nats a token: below, a rise is the noise of small losses


def check_step(loss: float, norm: float, log: Log, recipe: Recipe) -> None:
    """Raise RecipeError where the step's loss or gradient is no number, or the losses have run away for good.

    Depends on the log, this loss and this norm alone, so a resumed run is judged as an unbroken one.
    """
    if not math.isfinite(loss) or not math.isfinite(norm):
        raise RecipeError(_sentence(log, recipe, "the loss is no longer a number"))
    if diverged([*log.losses, loss]):
        raise RecipeError(_sentence(log, recipe, "the loss has risen and stays high"))


def diverged(losses: list[float]) -> bool:
    """Whether the mean of the last window is high, and several times that of the best window before it."""
    if len(losses) < 2 * _WINDOW:
        return False
    last = fmean(losses[-_WINDOW:])
    if last < _LEAST:
        return False
    before = losses[:-_WINDOW]
    best = min(fmean(before[at : at + _WINDOW]) for at in range(0, len(before) - _WINDOW + 1, _WINDOW))
    return last > _WORSE * best


def _sentence(log: Log, recipe: Recipe, what: str) -> str:
    return (
        f"Training {recipe.name} was ended at step {log.step + 1}: {what}. Give a lower optimization.learning_rate "
        f"than {recipe.optimization.learning_rate:g} (or a lower clip) and another --runs; nothing was published."
    )

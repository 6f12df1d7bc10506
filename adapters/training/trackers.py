"""Experiment trackers behind one small protocol. They get the recipe and numbers, never a prompt or an answer."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from adapters.errors import RecipeError
from adapters.training.log import Log


class Tracker(Protocol):
    """One run's tracker."""

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of one step."""

    def close(self) -> None:
        """The run is over."""


class TensorBoard:
    """Event files in the run's folder (`tensorboard --logdir runs`), by tensorboardX, which needs no TensorFlow."""

    def __init__(self, run: str, folder: Path, recipe: Mapping[str, Any]) -> None:
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(folder / "tensorboard"))
        self._writer.add_text(f"recipe of {run}", "\n".join(f"    {key}: {value}" for key, value in recipe.items()))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """One curve a name."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


class MLflow:
    """A run in the MLflow that its own variables name (MLFLOW_TRACKING_URI)."""

    def __init__(self, run: str, folder: Path, recipe: Mapping[str, Any]) -> None:
        import mlflow

        del folder
        self._mlflow = mlflow
        mlflow.start_run(run_name=run)
        mlflow.log_params(dict(recipe))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """MLflow's metrics."""
        self._mlflow.log_metrics(dict(values), step=step)

    def close(self) -> None:
        """End the run."""
        self._mlflow.end_run()


class Wandb:
    """A run in Weights & Biases, by its own variables (WANDB_MODE, WANDB_PROJECT)."""

    def __init__(self, run: str, folder: Path, recipe: Mapping[str, Any]) -> None:
        import wandb

        self._run = wandb.init(name=run, dir=str(folder), config=dict(recipe))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """One history row."""
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        """End the run."""
        self._run.finish()


_KNOWN: dict[str, Callable[[str, Path, Mapping[str, Any]], Tracker]] = {
    "tensorboard": TensorBoard,
    "mlflow": MLflow,
    "wandb": Wandb,
}


def open_trackers(names: Sequence[str], run: str, folder: Path, recipe: Mapping[str, Any]) -> list[Tracker]:
    """The trackers by name. Raises RecipeError for one that is unknown or whose library is not installed."""
    opened: list[Tracker] = []
    for name in names:
        if name not in _KNOWN:
            raise RecipeError(f"ADAPTERS_TRACKERS names {name!r}: known are {', '.join(_KNOWN)}.")
        try:
            opened.append(_KNOWN[name](run, folder, recipe))
        except ImportError as error:
            raise RecipeError(f"ADAPTERS_TRACKERS names {name}, whose library is not installed.") from error
    return opened


def report(trackers: Sequence[Tracker], log: Log) -> None:
    """What the last step brought: its loss, and the look at the validation samples where there was one."""
    values = {"loss": log.losses[-1]}
    if log.validation and log.validation[-1]["step"] == log.step:
        values |= {f"validation/{name}": value for name, value in log.validation[-1].items() if name != "step"}
        values["tokens_per_second"] = log.tokens / log.seconds
    for tracker in trackers:
        tracker.scalars(log.step, values)

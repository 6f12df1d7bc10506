"""A progress bar on standard error with the last losses beside it."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from adapters.training.log import Log

_RECENT = 20  # steps in the shown loss


class TrainingBar:
    """`with TrainingBar() as bar: train(…, bar.show)`."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
        )
        self._bar = Progress(*columns, console=self._console)
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, log: Log, steps: int) -> None:
        """After each step; a line of its own after each look at the validation samples."""
        recent = log.losses[-_RECENT:]
        loss = f"loss {sum(recent) / len(recent):.4f}"
        self._bar.update(self._task, completed=log.step, total=steps, description=loss)
        if log.validation and log.validation[-1]["step"] == log.step:
            last, rate = log.validation[-1], log.tokens / log.seconds
            self._console.print(
                f"step {log.step}/{steps}: {loss}, validation {last['loss']:.4f}, "
                f"fields right {last['fields']:.1%}, answers {last['exact']:.1%}, {rate:.0f} tokens/s"
            )

"""Runs `python -m adapters …` again and again in child processes and ends each with SIGKILL after one more random step.

The libraries are imported once, before the forks: what is killed is a whole process all the same.

    kill_driver.py SEED STEPS RUNS     RUNS: JSON, [[kills, ["train", "recipe.yaml", …]], …]

The last line says, as JSON, at which steps each was killed.
"""

import json
import os
import random
import signal
import sys
from pathlib import Path

import matplotlib.pyplot  # noqa: F401
import peft  # noqa: F401
import transformers  # noqa: F401

from adapters import __main__ as program
from adapters.training import checkpoint
from adapters.training.log import Log
from adapters.training.progress import TrainingBar


def main() -> int:
    """The first exit code of a run that is not 0."""
    seed, steps = (int(value) for value in sys.argv[1:3])
    ended = [_run(random.Random(seed), steps, kills, arguments) for kills, arguments in json.loads(sys.argv[3])]
    print(json.dumps([killed for killed, _ in ended]))
    return next((code for _, code in ended if code), 0)


def _run(rng: random.Random, steps: int, kills: int, arguments: list[str]) -> tuple[list[tuple[int, bool]], int]:
    """Kill, kill, then let it end."""
    killed = []
    for at in sorted(rng.sample(range(1, steps), kills)):
        while_saving = rng.random() < 0.5
        if _child(arguments, at, while_saving) == -signal.SIGKILL:
            killed.append((at, while_saving))
    return killed, _child(arguments, None, False)


def _child(arguments: list[str], at: int | None, while_saving: bool) -> int:
    """The exit code of one process, killed at step `at` or later: after the step, or in the middle of saving it."""
    pid = os.fork()
    if pid == 0:
        sys.argv = ["adapters", *arguments]
        if at is not None:
            _arm(at, while_saving)
        os._exit(program.main())
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _arm(at: int, while_saving: bool) -> None:
    if while_saving:
        save, rename = checkpoint.save, Path.rename

        def late(folder, model, optimizer, log, best=None):  # type: ignore[no-untyped-def]
            if log.step >= at:
                moves = [0]

                def dying(self: Path, target: Path) -> Path:
                    moves[0] += 1
                    if moves[0] == 2:  # the old checkpoint is out of the way, the new one not yet in its place
                        os.kill(os.getpid(), signal.SIGKILL)
                    return rename(self, target)

                Path.rename = dying  # type: ignore[method-assign]
            save(folder, model, optimizer, log, best)

        checkpoint.save = late
        return
    show = TrainingBar.show

    def last(self: TrainingBar, log: Log, steps: int) -> None:
        if log.step >= at:
            os.kill(os.getpid(), signal.SIGKILL)
        show(self, log, steps)

    TrainingBar.show = last  # type: ignore[method-assign]


if __name__ == "__main__":
    sys.exit(main())

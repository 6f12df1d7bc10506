"""What a run has measured so far."""

from dataclasses import dataclass, field


@dataclass
class Log:
    """`step` is the number of finished steps; `losses` has one entry a step, nats a token.

    `validation` has what `judge` says, with the step. `best_step` is the step of the best look (0: none yet).
    Peaks are in bytes, over all processes that the run took.
    """

    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    losses: list[float] = field(default_factory=list)
    validation: list[dict[str, float]] = field(default_factory=list)
    best_step: int = 0
    peak_memory: int = 0
    peak_gpu_memory: int = 0

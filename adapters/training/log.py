"""What a run has measured so far."""

from dataclasses import dataclass, field


@dataclass
class Log:
    """`step` is the number of finished steps; `losses` has one entry a step, nats a token."""

    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    losses: list[float] = field(default_factory=list)
    validation: list[dict[str, float]] = field(default_factory=list)

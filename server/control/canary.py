"""A canary: a new revision gets a little of an alias' traffic, then more in steps, while it is no worse than the rest.

Judged are, of the answers since the step began: the share that failed, the share that the front found invalid (answers
that do not hold their schema), and the p95 of the time a token takes. Worse in one of them, it is rolled back.
"""

import statistics
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from adapters.registry.catalogue import Adapter
from adapters.registry.state import Weights

_WINDOW = 2000
Verdict = Literal["advance", "worse"]


@dataclass(frozen=True)
class Plan:
    """`stable`: shares before it; `steps`: percent, growing, the last one 100; `answers`: of each side for a judgement.

    `worse`: by how much a share may be higher than the stable one's, in 0 to 1; `slower`: how many times its p95.
    """

    revision: str
    stable: Weights
    steps: tuple[float, ...] = (1, 10, 50, 100)
    answers: int = 50
    worse: float = 0.02
    slower: float = 1.25

    def weights(self, step: int) -> Weights:
        """The alias' shares in this step."""
        share, total = self.steps[step], sum(self.stable.values())
        if share >= 100:
            return {self.revision: 100.0}
        return {name: weight / total * (100 - share) for name, weight in self.stable.items()} | {self.revision: share}


@dataclass
class Side:
    """What one side answered in this step. `paces`: seconds a token, of the latest answers."""

    answers: int = 0
    failed: int = 0
    invalid: int = 0
    paces: deque[float] = field(default_factory=lambda: deque(maxlen=_WINDOW))

    @property
    def pace(self) -> float | None:
        """p95 of the seconds a token takes."""
        if len(self.paces) < 2:
            return None
        return statistics.quantiles(self.paces, n=20, method="inclusive")[-1]


@dataclass
class Canary:
    """One that is under way."""

    plan: Plan
    step: int = 0
    moving: bool = False
    new: Side = field(default_factory=Side)
    old: Side = field(default_factory=Side)

    @property
    def weights(self) -> Weights:
        """What its alias means as long as nobody else has changed it."""
        return self.plan.weights(self.step)

    def side(self, revision: str) -> Side:
        """Where an answer counts."""
        return self.new if revision == self.plan.revision else self.old

    def verdict(self) -> tuple[Verdict, str] | None:
        """What is to be done and why; None while too few have answered."""
        enough = min(self.new.answers, self.old.answers) >= self.plan.answers
        if self.moving or not enough:
            return None
        for what, new, old in (
            ("of its answers fail", self.new.failed, self.old.failed),
            ("of its answers are invalid", self.new.invalid, self.old.invalid),
        ):
            share, other = new / self.new.answers, old / self.old.answers
            if share > other + self.plan.worse:
                return "worse", f"{share:.1%} {what}, of the others' {other:.1%}"
        new_pace, old_pace = self.new.pace, self.old.pace
        if new_pace is not None and old_pace is not None and new_pace > old_pace * self.plan.slower:
            return "worse", f"its tokens take {new_pace * 1000:.0f} ms at p95, the others' {old_pace * 1000:.0f}"
        return "advance", ""

    def advance(self) -> None:
        """The next step begins: what was answered before says nothing of it."""
        self.step, self.moving = self.step + 1, False
        self.new, self.old = Side(), Side()


class Canaries:
    """Those under way on this server, by adapter. Others that share the registry see their steps as splits."""

    def __init__(self) -> None:
        self._canaries: dict[str, Canary] = {}

    def begin(self, adapter: str, plan: Plan) -> Canary:
        """In the place of one that was under way."""
        self._canaries[adapter] = Canary(plan)
        return self._canaries[adapter]

    def end(self, adapter: str) -> bool:
        """Over, whatever became of it; whether there was one."""
        return self._canaries.pop(adapter, None) is not None

    def of(self, adapter: Adapter) -> Canary | None:
        """The one under way, as long as its alias means what it made of it."""
        canary = self._canaries.get(adapter.name)
        if canary is not None and not canary.moving and canary.weights != adapter.weights:
            self.end(adapter.name)  # somebody has decided otherwise
            return None
        return canary

    def answered(self, adapter: Adapter, revision: str, failed: bool, pace: float | None) -> tuple[Verdict, str] | None:
        """Count an answer; what is to be done now."""
        canary = self.of(adapter)
        if canary is None:
            return None
        side = canary.side(revision)
        side.answers += 1
        side.failed += failed
        if pace is not None:
            side.paces.append(pace)
        return canary.verdict()

    def reported_invalid(self, adapter: Adapter, revision: str) -> None:
        """The front has found that an answer, counted already, does not hold its schema."""
        canary = self.of(adapter)
        if canary is not None:
            canary.side(revision).invalid += 1

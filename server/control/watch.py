"""Watches a split: when too many of a new revision's answers fail, the split is over.

A failure is the server's error or an answer that the front found to be invalid; a caller's mistake is none.
"""

from collections import deque
from dataclasses import dataclass, field

from adapters.registry.catalogue import Adapter
from adapters.registry.state import Weights

_WINDOW = 200  # answers of one revision that are remembered


@dataclass
class _Split:
    weights: Weights
    outcomes: dict[str, deque[bool]] = field(default_factory=dict)


class SplitWatch:
    """`least`: answers before a judgement; `limit`: the share of failures that ends the split."""

    def __init__(self, least: int, limit: float) -> None:
        self._least = least
        self._limit = limit
        self._splits: dict[str, _Split] = {}

    def record(self, adapter: Adapter, revision: str, failed: bool, again: bool = False) -> float | None:
        """Count an answer; the share of failures when it is too large for the split to go on, else None.

        `again`: the answer was counted as good when it went out, and is judged anew. Where none was counted, another
        server gave it: among this one's answers it would be a failure without the good ones that belong to it.
        """
        if len(adapter.weights) < 2 or revision not in adapter.weights:
            self._splits.pop(adapter.name, None)
            return None
        split = self._splits.get(adapter.name)
        if split is None or split.weights != adapter.weights:
            split = self._splits[adapter.name] = _Split(adapter.weights)
        outcomes = split.outcomes.setdefault(revision, deque(maxlen=_WINDOW))
        if again:
            if False not in outcomes:
                return None
            outcomes.remove(False)
        outcomes.append(failed)
        if revision not in _newcomers(adapter) or len(outcomes) < self._least:
            return None
        share = sum(outcomes) / len(outcomes)
        # What served before may be no better: then the fault lies elsewhere, and going back would not help.
        return share if share > self._limit and share > self._others(split, revision) else None

    def forget(self, adapter: str) -> None:
        """The split is over."""
        self._splits.pop(adapter, None)

    def _others(self, split: _Split, revision: str) -> float:
        others = [failed for name, outcomes in split.outcomes.items() if name != revision for failed in outcomes]
        return sum(others) / len(others) if others else 0.0


def _newcomers(adapter: Adapter) -> set[str]:
    """Revisions of the split that did not serve before it."""
    for before in reversed(adapter.history):
        # Other shares of the same revisions are the same split: ten percent, then fifty.
        if before.keys() != adapter.weights.keys():
            return set(adapter.weights) - set(before)
    return set()

"""What earlier answers took: after which lines, of which form. Nothing that was read is kept, only hashes and counts.

Pages of one form look alike: what stood before a value on one of them is its label on the next one too.
"""

from __future__ import annotations

import math
import os
from collections import Counter, OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from server.drafts.page import Page, words_of

NOTHING = -1
"""The line of a value that is null."""

_MOST_FORMS, _MOST_SLOTS, _MOST_EXAMPLES, _MOST_SEEN = 128, 64, 400, 2000
_SEED = os.urandom(8)
_LABEL_PENALTY = 3.0  # for a line that stands before values itself
_NAMED = 3.0  # for all of a field's words in the line before
_FEW = 8  # examples that say little
_NEWEST, _HOPE = 0.05, 0.002  # weights of a draft's result, of a step without
_LABELS = 3  # lines before a value that may be its label


def _hidden(*what: Hashable) -> int:
    """A hash that nobody can compare with a text of his own."""
    return hash((_SEED, *what))


@dataclass
class _Slot:
    """One field's history: how often it had a line, how often none, and how often lines had which feature."""

    examples: int = 0
    nulls: int = 0
    seen: Counter[int] = field(default_factory=Counter)

    def add(self, features: Sequence[int]) -> None:
        self.examples += 1
        self.seen.update(features)
        if self.examples > _MOST_EXAMPLES or len(self.seen) > _MOST_SEEN:
            self.examples, self.nulls = self.examples // 2, self.nulls // 2
            self.seen = Counter({key: count // 2 for key, count in self.seen.items() if count > 1})

    def rather_null(self, features: Sequence[int]) -> bool:
        """Whether the best line of a page has so little of the slot's lines that there is rather none."""
        if self.examples < _FEW:
            return self.nulls > self.examples
        return not any(self.seen[label] for label in features[:_LABELS])


class Memory:
    """The slots of one form of page. share: of guessed tokens that came true lately, hopeful at first."""

    def __init__(self) -> None:
        self.share = 1.0
        self._slots: dict[str, _Slot] = {}
        self._labels: Counter[int] = Counter()

    def judge(self, share: float) -> None:
        """This share of a draft's guesses came true."""
        self.share += _NEWEST * (share - self.share)

    def skip(self) -> None:
        """Nothing was guessed because too little comes true: after some time it is tried again."""
        self.share += _HOPE * (1.0 - self.share)

    def learn(self, page: Page, taken: Sequence[tuple[str, int]]) -> None:
        """taken: slots and the lines that their values stand on, in the answer's order."""
        before = NOTHING
        for name, line in taken[:_MOST_SLOTS]:
            slot = self._slots.setdefault(name, _Slot())
            if line == NOTHING:
                slot.nulls += 1
                continue
            slot.add(_features(page, line, before))
            if line:
                self._labels[_hidden(page.lines[line - 1])] += 1
            before = line
        if len(self._labels) > _MOST_SEEN:
            self._labels = Counter({key: count // 2 for key, count in self._labels.items() if count > 1})

    def lines(self, page: Page, name: str, before: int) -> list[int]:
        """Up to four lines that the value of `name` may stand on, likeliest first, and NOTHING in its place.

        before: the line of the value before it."""
        scores = self._scores(page, name, before)
        ranked = sorted(range(len(scores)), key=lambda line: (-scores[line], -line))[:4]
        slot = self._slots.get(name)
        rather_null = not ranked or (slot is not None and slot.rather_null(_features(page, ranked[0], before)))
        return [NOTHING, *ranked] if rather_null else [*ranked, NOTHING]

    def _scores(self, page: Page, name: str, before: int) -> list[float]:
        slot, named = self._slots.get(name, _Slot()), words_of(name)
        return [self._score(slot, page, line, before, named) for line in range(len(page.lines))]

    def _score(self, slot: _Slot, page: Page, line: int, before: int, named: frozenset[str]) -> float:
        """The logarithm of how well a line fits: what is known of the slot, and its name in the lines before."""
        counts = [slot.seen[feature] for feature in _features(page, line, before)] if slot.examples else []
        score = sum(math.log((count + 0.2) / (slot.examples + 1)) for count in counts)
        for distance, weight in ((1, _NAMED), (2, _NAMED / 3)):
            if named and line >= distance:
                score += weight * len(named & page.words[line - distance]) / len(named)
        return score - (_LABEL_PENALTY if self._labels[_hidden(page.lines[line])] > 1 else 0.0)


def _features(page: Page, line: int, before: int) -> tuple[int, ...]:
    labels = (_hidden(back, page.lines[line - back] if line >= back else "") for back in range(1, _LABELS + 1))
    return *labels, _hidden("step", line - before), _hidden("shape", page.shapes[line])


class Memories:
    """Memories by what tells forms apart; the least recently used ones are forgotten."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Memory] = OrderedDict()

    def of(self, key: Hashable) -> Memory:
        """The memory of this form, an empty one at first."""
        memory = self._kept.setdefault(key, Memory())
        self._kept.move_to_end(key)
        if len(self._kept) > _MOST_FORMS:
            self._kept.popitem(last=False)
        return memory

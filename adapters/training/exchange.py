"""Few examples made into many by their values: another page's name over this one's address, other lines around both.

`mixing` keeps a value among its neighbours. With a few hundred pages of a few dozen shops that is what is learnt by
heart: this name goes with that street, and so many lines. Here a value moves to a page on which it never stood.
"""

import random
from collections.abc import Sequence

from adapters.data.given.contacts import contact
from adapters.training.dataset import Labelled
from adapters.training.mixing import places_of
from adapters.training.targets import Target

_MOST = 3  # lines of contact that are put in, or taken out, at one place


def exchanged(sample: Labelled, others: Sequence[Labelled], rng: random.Random) -> Labelled:
    """With some of its values, each line by line, taken from other examples; written-out values stay."""
    for field in range(len(sample.targets)):
        other = rng.choice(others)
        mine, theirs = _block(sample, field), _block(other, field)
        if mine is not None and theirs is not None and rng.random() < 0.6:
            sample = _with_block(sample, field, mine, other, theirs)
    return sample


def surrounded(sample: Labelled, fields: Sequence[int], rng: random.Random) -> Labelled:
    """With lines of contact before and behind each of these fields: put in, or in the place of nobody's lines there."""
    for field in fields:
        for behind in (False, True):
            lines = places_of(sample)[field]
            if lines and not isinstance(sample.targets[field], str) and rng.random() < 0.6:
                sample = _with_contacts(sample, max(lines) + 1 if behind else min(lines), rng, up=not behind)
    return sample


def _block(sample: Labelled, field: int) -> tuple[int, int] | None:
    """First line and the one behind the last of a field whose lines stand together and are its alone."""
    target = sample.targets[field]
    lines = target if isinstance(target, tuple) else () if target is None or isinstance(target, str) else (target,)
    used = {n for other, at in places_of(sample).items() if other != field for n in at}
    if not lines or tuple(lines) != tuple(range(min(lines), max(lines) + 1)) or used & set(lines):
        return None
    return min(lines), max(lines) + 1


def _with_block(
    sample: Labelled, field: int, mine: tuple[int, int], other: Labelled, theirs: tuple[int, int]
) -> Labelled:
    put = other.lines[theirs[0] : theirs[1]]
    kept = _replaced(sample, mine, put)
    numbers = tuple(range(mine[0], mine[0] + len(put)))
    targets = list(kept.targets)
    targets[field] = numbers if len(numbers) > 1 else numbers[0]
    return Labelled(kept.document, kept.lines, tuple(targets))


def _with_contacts(sample: Labelled, at: int, rng: random.Random, *, up: bool) -> Labelled:
    """Lines of contact at `at`, in the place of some of nobody's that stand above it (`up`) or from it on."""
    used = {n for at in places_of(sample).values() for n in at}
    free, step = 0, -1 if up else 1
    while free < _MOST and 0 <= (n := at + step * free - up) < len(sample.lines) and n not in used:
        free += 1
    gone = rng.randrange(free + 1)
    begin = at - gone if up else at
    return _replaced(sample, (begin, begin + gone), [contact(rng) for _ in range(rng.randrange(_MOST + 1))])


def _replaced(sample: Labelled, gone: tuple[int, int], put: Sequence[str]) -> Labelled:
    """Other lines in the place of some; answers keep to their lines."""
    step = len(put) - (gone[1] - gone[0])
    lines = (*sample.lines[: gone[0]], *put, *sample.lines[gone[1] :])
    return Labelled(sample.document, lines, tuple(_moved(target, gone[1], step) for target in sample.targets))


def _moved(target: Target, behind: int, step: int) -> Target:
    if isinstance(target, int):
        return target + step if target >= behind else target
    if isinstance(target, tuple):
        return tuple(n + step if n >= behind else n for n in target)
    return target

"""Few examples made into many: the top of one page over the bottom of another, lines left out, letters misread.

A few hundred pages are soon known by heart. What must be learnt is where a value stands among its neighbours, and that
stays true when other neighbours are far away, or the page goes on as another one.
"""

import random
from collections.abc import Sequence

from adapters.data.simulated_ocr.misreadings import HEAVY, misread_value
from adapters.training.dataset import Labelled
from adapters.training.targets import Target

_NEAR = 2  # lines before and behind a value that are never left out
_LONGEST = 12  # lines that are left out together
_CASES = (str.title, str.title, str.capitalize, str.lower)


def mixed(sample: Labelled, others: Sequence[Labelled], rng: random.Random) -> Labelled:
    """The sample's top over the bottom of one of the others, where both can be cut between the same fields."""
    other = rng.choice(others)
    mine, theirs = places_of(sample), places_of(other)
    order = sorted((max(at), key) for key, at in mine.items() if at)
    for count in rng.sample(range(1, len(order)), len(order) - 1) if len(order) > 1 else ():
        top = {key for _, key in order[:count]}
        cuts = _cut(mine, top), _cut(theirs, top)
        if cuts[0] is not None and cuts[1] is not None:
            return _joined(sample, other, top, cuts[0], cuts[1])
    return sample


def shorter(sample: Labelled, rng: random.Random) -> Labelled:
    """Without some lines that are far from every value."""
    near = {line + step for at in places_of(sample).values() for line in at for step in range(-_NEAR, _NEAR + 1)}
    first, count = rng.randrange(max(1, len(sample.lines))), rng.randrange(1, _LONGEST + 1)
    left = [n for n in range(len(sample.lines)) if n in near or not first <= n < first + count]
    place = {old: new for new, old in enumerate(left)}
    return Labelled(
        sample.document,
        tuple(sample.lines[n] for n in left),
        tuple(_moved(target, place) for target in sample.targets),
    )


def misread(sample: Labelled, rng: random.Random) -> Labelled:
    """Letters and gaps lost as on a bad scan, but for lines in which a written-out value stands."""
    written = [target for target in sample.targets if isinstance(target, str)]
    lines = tuple(
        line if any(value in line for value in written) else misread_value(rng, line, HEAVY).strip() or line
        for line in sample.lines
    )
    return Labelled(sample.document, lines, sample.targets)


def recased(sample: Labelled, rng: random.Random) -> Labelled:
    """Some lines in small letters: transcriptions are often in capitals, what OCR reads is as it was printed."""
    written = [target for target in sample.targets if isinstance(target, str)]
    share = rng.uniform(0.2, 0.9)
    lines = tuple(
        line if any(value in line for value in written) or rng.random() > share else rng.choice(_CASES)(line)
        for line in sample.lines
    )
    return Labelled(sample.document, lines, sample.targets)


def places_of(sample: Labelled) -> dict[int, tuple[int, ...]]:
    """Field's number to its lines: those that an answer names, or that hold a written-out value; empty for null."""
    found: dict[int, tuple[int, ...]] = {}
    for key, target in enumerate(sample.targets):
        if isinstance(target, str):
            found[key] = tuple(n for n, line in enumerate(sample.lines) if target in line)
        else:
            found[key] = target if isinstance(target, tuple) else () if target is None else (target,)
    return found


def _cut(places: dict[int, tuple[int, ...]], top: set[int]) -> int | None:
    """The line below the fields of `top` and above all others; None where there is none, or no field at all."""
    above = [line for key in top for line in places[key]]
    below = [line for key, at in places.items() if key not in top for line in at]
    if not above or not below or max(above) >= min(below):
        return None
    return max(above) + 1


def _joined(first: Labelled, second: Labelled, top: set[int], end: int, begin: int) -> Labelled:
    place = {old: old - begin + end for old in range(begin, len(second.lines))}
    targets = tuple(
        first.targets[key] if key in top else _moved(second.targets[key], place) for key in range(len(first.targets))
    )
    return Labelled(first.document, (*first.lines[:end], *second.lines[begin:]), targets)


def _moved(target: Target, place: dict[int, int]) -> Target:
    if isinstance(target, int):
        return place[target]
    return tuple(place[line] for line in target) if isinstance(target, tuple) else target

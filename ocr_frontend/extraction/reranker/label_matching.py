"""Labels and lines, one to one: a page that prints some values under their labels and others above them is read right
where each label alone would take the wrong neighbour.

Labels without a field, and lines that read like labels of nobody's file, take lines too. Costs are in heights of the
line; they were set by hand on cards of the validation split (docs/lab-notes.md).
"""

from collections.abc import Mapping, Sequence
from math import log

from ocr_frontend.documents.letters import has_number, letters
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.extraction.candidate import READ
from ocr_frontend.extraction.reranker.assignment import assign
from ocr_frontend.extraction.reranker.label_groups import Kind, LabelGroup, label_groups
from ocr_frontend.extraction.reranker.surroundings import Side, Surroundings, side_of

_SIDE: Mapping[Side, float] = {"above": 0.0, "left": 0.0, "below": 0.6, "right": 1.0}
_DOWN, _ALONG, _ASIDE = 0.6, 0.04, 0.15  # a height: below the nearest, along the row, between edges
_SHARE = 1.2  # less, where this page's labels stand on that side
_BETWEEN = 1.5  # another line stands between
_INSIDE = -2.0  # the label stands in the line itself
_WITHOUT: Mapping[Kind, float] = {"field": 2.6, "other": 1.4, "unknown": 0.9}  # a label that gets no line
_LINE = 1.0  # less for each line that is taken
_TYPED, _NUMBER, _LETTERS, _LABELLED = 4.0, 1.5, 3.0, 3.0  # free text that another type admits, and so on
_SIZE, _SMALL, _UNSURE = 2.0, 0.7, 1.0  # another size than values have; the labels'; hardly read
_SMALLER = 0.87  # labels' size to values', below which a line's size says which it is
_MODEL, _SUREST = 2.0, 6.0  # less for the model's own line, at these log-odds
_NEVER = 1e6
_TIGHT = 1.6  # heights from a line to the next of one value
_FEWEST = 2  # letters of free text


def match_labels(
    around: Surroundings, model: Mapping[str, Sequence[int]], odds: Mapping[str, float]
) -> dict[str, tuple[int, ...]]:
    """By field whose label was read: the lines that it gets, none where none is left for it.

    model: the lines that the model named; odds: the log-odds of its elements.
    """
    groups = label_groups(around)
    rows = [(group, key) for group in groups for key in (group.fields or (None,))]
    lines = _lines(around, groups)
    specs = {spec.key: spec for spec in around.page.spec.fields}
    costs = []
    for number, (group, key) in enumerate(rows):
        spec, named = (specs[key], frozenset(model[key])) if key is not None else (None, frozenset[int]())
        own = -_MODEL * min(max(odds.get(key or "", 0.0), 0.0), _SUREST) / _SUREST
        row = [_cost(around, group, spec, line) + (own if line in named else 0.0) for line in lines]
        without = [_WITHOUT[group.kind] if at == number else _NEVER for at in range(len(rows))]
        costs.append(row + without)
    found = dict[str, tuple[int, ...]]()
    taken = set[int]()
    for (_, key), column, row in zip(rows, assign(costs), costs, strict=True):
        line = lines[column] if column < len(lines) and row[column] < _NEVER / 2 else None
        taken |= set() if line is None else {line}
        if key is not None and not found.get(key):
            found[key] = () if line is None else (line,)
    return {key: _with_lines(around, specs[key], each, taken, frozenset(model[key])) for key, each in found.items()}


def _lines(around: Surroundings, groups: Sequence[LabelGroup]) -> list[int]:
    unknown = {line for group in groups if group.kind == "unknown" for line in group.lines}
    return [n for n, label in enumerate(around.labels) if not label and n not in unknown]


def _cost(around: Surroundings, group: LabelGroup, spec: FieldSpec | None, line: int) -> float:
    """Of a line for a label, `_NEVER` where it cannot be its value."""
    away = _distance(around, group, line)
    kind = _kind(around, group, spec, line) if away < _NEVER else _NEVER
    if kind >= _NEVER:
        return _NEVER
    page, height = around.page, around.places[line].height
    small = around.looks.label_height < _SMALLER * around.looks.value_height
    cost = away + kind + _SIZE * abs(log(max(height / around.looks.value_height, 0.1))) - _LINE
    cost += _SMALL if small and height < (around.looks.label_height + around.looks.value_height) / 2 else 0.0
    return cost + (_UNSURE if page.lines[line].confidence < READ else 0.0)


def _distance(around: Surroundings, group: LabelGroup, line: int) -> float:
    if line in group.lines:
        return _INSIDE
    best = _NEVER
    for label in group.lines:
        found = side_of(around.places[line], around.places[label])
        if found is None:
            continue
        side, away, aside = found
        cost = _SIDE[side] + (_DOWN * (away - 1) if side in ("above", "below") else _ALONG * away)
        cost += _ASIDE * min(aside, 8.0) - _SHARE * around.share[side]
        if cost < best and _between(around, group, label, line, side):
            cost += _BETWEEN
        best = min(best, cost)
    return best


def _between(around: Surroundings, group: LabelGroup, label: int, line: int, side: Side) -> bool:
    here, there = around.places[line], around.places[label]
    if side in ("above", "below"):
        low, high = sorted((here.middle, there.middle))
        margin = 0.3 * here.height
        return any(
            low + margin < place.middle < high - margin and place.overlaps(here)
            for n, place in enumerate(around.places)
            if n != line and n not in group.lines
        )
    left, right = (there.right, here.left) if side == "left" else (here.right, there.left)
    margin = 0.5 * here.height
    return any(
        abs(place.middle - here.middle) < 0.6 * here.height
        and place.left >= left - margin
        and place.right <= right + margin
        for n, place in enumerate(around.places)
        if n not in (line, label)
    )


def _kind(around: Surroundings, group: LabelGroup, spec: FieldSpec | None, line: int) -> float:
    """What the line's text says against it."""
    page = around.page
    if spec is None:
        return _LABELLED if page.labels_in(line) else 0.0
    text = page.text_of(line, spec.key)
    if not spec.type.free:
        return 0.0 if spec.type.holds(text) else _NEVER
    cost = _TYPED if page.fitting(line) else _NUMBER if has_number(text) else 0.0
    cost += _LETTERS if len(letters(text)) < _FEWEST else 0.0
    return cost + (_LABELLED if page.labels_in(line) and spec.key not in page.labels_in(line) else 0.0)


def _with_lines(
    around: Surroundings, spec: FieldSpec, lines: tuple[int, ...], taken: set[int], named: frozenset[int]
) -> tuple[int, ...]:
    """A value's line with those above and below it that nobody else has, as far as the field may reach."""
    chain = list(lines)
    while chain and spec.type.free and len(chain) < spec.max_lines:
        below = [n for n in around.followers[chain[-1]] if _goes_on(around, chain[-1], n, n, taken, named)]
        above = [n for n, after in enumerate(around.followers) if chain[0] in after]
        above = [n for n in above if _goes_on(around, n, chain[0], n, taken, named)]
        if len(below) != 1 and len(above) != 1:
            break
        more = below[0] if len(below) == 1 else above[0]
        chain.insert(len(chain) if len(below) == 1 else 0, more)
        taken.add(more)
    return tuple(n for line in chain for n in _row(around, spec, line, taken))


def _row(around: Surroundings, spec: FieldSpec, line: int, taken: set[int]) -> list[int]:
    """A line with the pieces beside it that nobody else has."""
    row = [line]
    while spec.type.free:
        more = [n for n in around.beside[row[-1]] if _free(around, n, taken)]
        if not more:
            break
        row.append(min(more, key=lambda n: around.places[n].left))
        taken.add(row[-1])
    return row


def _goes_on(around: Surroundings, upper: int, lower: int, new: int, taken: set[int], named: frozenset[int]) -> bool:
    """Whether two lines are one value's: close, or both named by the model; `new` is the one that would be added."""
    close = around.gap(upper, lower) < _TIGHT or {upper, lower} <= named
    return close and _free(around, new, taken)


def _free(around: Surroundings, line: int, taken: set[int]) -> bool:
    page = around.page
    if line in taken or around.labels[line] or page.labels_in(line) or page.may_be_label(line) or page.fitting(line):
        return False
    return not has_number(page.lines[line].text) and page.lines[line].confidence >= READ

"""The rule by which lines of free text go to the label that they stand next to, on a page whose labels can be trusted.

Layouts differ, labels are misread, and a watermark's rests stand among the lines: so a page's labels count where they
agree with the model, or with the values that only one type admits, and a value is a chain of lines of one size.
"""

from collections.abc import Sequence

from ocr_frontend.documents.letters import has_number, letters
from ocr_frontend.documents.page import LabelledPage
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.extraction.candidate import READ, Candidate, Elements, claimed_by_others, numbers_of

# Fields whose lines stand under their own labels, and fields that have only others there, on a page whose labels count.
_AGREED, _DIFFERING = 3, 2
# The same of values with a form of their own (dates, numbers), whatever the model says.
_FITTING, _UNFITTING = 2, 1
# In heights of the upper line: how far below its middle the next one may stand, and how far aside.
_NEAREST, _FARTHEST, _ASIDE = 0.6, 1.75, 0.9
_MOST = 0.7  # of all letters
_SMALLEST, _LARGEST = 0.7, 1.4  # the second line is printed in the same size


def stands_under_label(elements: Elements, page: LabelledPage) -> dict[str, Candidate]:
    """Free text whose own label has other lines than the model named, on a page whose labels can be trusted.

    All fields look at what was there before: they give lines to each other at once."""
    if not _labels_hold(elements, page):
        return {}
    found = ((spec.key, _under_own(spec, elements, page)) for spec in page.spec.fields)
    return {key: candidate for key, candidate in found if candidate is not None}


def under_another_label(elements: Elements, page: LabelledPage) -> dict[str, Candidate]:
    """Null instead of free text that stands under labels that have no field (an address), where the field's own label
    was read, and instead of a date at the label of an empty field of the same form, where its own was not; on a page
    whose labels can be trusted."""
    if not _labels_hold(elements, page):
        return {}
    read = frozenset().union(*(page.labels_in(n) for n in range(len(page.lines))))
    of_type = {spec.key: spec.type for spec in page.spec.fields if elements.get(spec.key) is None}

    def elsewhere(spec: FieldSpec, owners: frozenset[str]) -> bool:
        if spec.type.free:
            return spec.key in read and all(name.startswith("+") for name in owners)
        return spec.key not in read and all(of_type.get(name) == spec.type for name in owners)

    return {
        spec.key: Candidate(None, "under_another_label")
        for spec in page.spec.fields
        if (named := numbers_of(elements.get(spec.key), page))
        if all((owners := page.owners(n)) and elsewhere(spec, owners) for n in named)
    }


def _under_own(spec: FieldSpec, elements: Elements, page: LabelledPage) -> Candidate | None:
    """Lines that the label only adds are left to `continued`, unless another field has taken them for its own: a line
    under a label of its own belongs there."""
    if not spec.type.free or not spec.printed.texts:
        return None
    named = numbers_of(elements.get(spec.key), page)
    mine = _value(spec, page, frozenset(named))
    if not 1 <= len(mine) <= spec.max_lines or set(mine) == set(named):
        return None
    if any(page.fitting(n) or has_number(page.lines[n].text) for n in mine):
        return None  # another field's date, say, where layouts differ
    more = set(mine) - set(named)
    if set(named) < set(mine) and not more & claimed_by_others(elements, spec.key):
        return None
    return Candidate(mine if len(mine) > 1 else mine[0], "stands_under_label")


def follows(upper: int, lower: int, page: LabelledPage) -> bool:
    """Whether `lower` stands right below `upper`, shares an edge or the middle, and is printed in the same size."""
    above, below = page.value_places[upper], page.places[lower]
    down = (below.middle - above.middle) / above.height
    alike = _SMALLEST < below.height / above.height < _LARGEST
    return _NEAREST < down < _FARTHEST and above.apart(below) < _ASIDE and alike


def _labels_hold(elements: Elements, page: LabelledPage) -> bool:
    """Whether this page's labels stand where they are looked for: by the model's answers, or by values' own forms."""
    fitting, unfitting = page.nearest.agreement
    if fitting >= _FITTING and unfitting <= _UNFITTING:
        return True
    agreed = differing = 0
    for spec in page.spec.fields:
        mine = set(_lines_of(spec, page)) if spec.printed.texts else set()
        named = set(numbers_of(elements.get(spec.key), page))
        if mine and named and len(mine) <= spec.max_lines:
            agreed, differing = agreed + bool(mine & named), differing + (not mine & named)
    return agreed >= _AGREED and differing <= _DIFFERING


def _lines_of(spec: FieldSpec, page: LabelledPage) -> tuple[int, ...]:
    """The lines that only this field's label claims, well read and no labels."""
    found = [
        n
        for n, line in enumerate(page.lines)
        if page.owners(n) == {spec.key} and line.confidence >= READ
        if not page.only_label(n, spec.key) and not page.may_be_label(n)
    ]
    return tuple(found)


def _value(spec: FieldSpec, page: LabelledPage, named: frozenset[int]) -> tuple[int, ...]:
    """Of these lines those that belong together: the ones that the model named among them, else the longest text.

    The others are a watermark's rests, or the value of a label that was not read.
    """

    def weight(chain: list[int]) -> tuple[bool, int]:
        return bool(named.intersection(chain)), sum(len(letters(page.text_of(n, spec.key))) for n in chain)

    chains = _chains(_lines_of(spec, page), page)
    longest: list[int] = max(chains, key=weight, default=[])
    return tuple(longest)


def _chains(lines: Sequence[int], page: LabelledPage) -> list[list[int]]:
    """Lines one below the other, each the next one's beginning."""
    chains: list[list[int]] = []
    for n in sorted(lines, key=lambda n: (page.places[n].middle, page.places[n].left)):
        before = next((chain for chain in chains if follows(chain[-1], n, page)), None)
        if before is None:
            chains.append([n])
        else:
            before.append(n)
    return chains


def main_chain(lines: Sequence[int], page: LabelledPage) -> tuple[int, ...]:
    """Of lines that stand near a label, those below each other that have most of all their letters; else none."""
    chains = _chains(lines, page)
    size = {tuple(chain): sum(len(letters(page.lines[n].text)) for n in chain) for chain in chains}
    best = max(size, key=lambda chain: size[chain])
    return best if size[best] >= _MOST * sum(size.values()) else ()

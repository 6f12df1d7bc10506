"""From the values that are wanted to the answer that says them: which line, which lines, which part of a line.

An answer is the shortest one that the front reads as the value: a line's number, several numbers in their order, or
the value written out where no line says it alone. Where no line says the value, the nearest ones stand for it.
"""

from collections.abc import Sequence

from adapters.data.given.example import Given
from adapters.data.given.page import Page, numbers_of, read
from adapters.data.given.search import is_part, joined, nearest
from adapters.training.contract import visible
from adapters.training.targets import Target
from ocr_frontend.documents.labels import book_of
from ocr_frontend.documents.spec import DocumentSpec, FieldSpec


class Answers:
    """For one document. Built once."""

    def __init__(self, spec: DocumentSpec) -> None:
        self._spec = spec
        self._book = book_of(spec)

    def lines(self, given: Given) -> tuple[str, ...]:
        """The texts as a prompt numbers them: folded, without blank ones."""
        return tuple(text for line in given.lines if (text := visible(line.text)))

    def targets(self, given: Given) -> tuple[Target, ...]:
        """One a field, over `lines(given)`."""
        lines = self.lines(given)
        page = Page(lines, self._book)
        taken: set[int] = set()
        found: list[Target] = []
        for spec in self._spec.fields:
            if spec.key in given.targets:
                found.append(given.targets[spec.key])
                continue
            value = given.fields.get(spec.key)
            target = _target(" ".join(value.split()), spec, page, taken) if value and value.strip() else None
            taken |= set(numbers_of(target))
            found.append(target)
        return tuple(found)

    def values(self, lines: Sequence[str], targets: Sequence[Target]) -> dict[str, str | None]:
        """What the front makes of such answers, its rules and checks apart."""
        page = Page(lines, self._book)
        return {spec.key: read(target, spec, page) for spec, target in zip(self._spec.fields, targets, strict=True)}


def _target(value: str, spec: FieldSpec, page: Page, taken: set[int]) -> Target:
    whole = [n for n in range(len(page.lines)) if _same(read(n, spec, page), value, spec)]
    if whole:
        return _preferred(whole, spec, page, taken)
    if spec.type.free and (over := joined(value, spec, page)):
        return over
    if read(value, spec, page) == value and any(is_part(value, line) for line in page.lines):
        return value
    return nearest(value, spec, page) if spec.type.free else None


def _same(said: str | None, value: str, spec: FieldSpec) -> bool:
    if said is None or said == value:
        return said == value
    normal = spec.type.normal(value)
    return normal is not None and spec.type.normal(said) == normal


def _preferred(indexes: Sequence[int], spec: FieldSpec, page: Page, taken: set[int]) -> int:
    """The first under the field's own label; else the first that no other field has; else the first."""
    own = [n for n in indexes if page.under_own_label(n, spec.key)]
    free = [n for n in indexes if n not in taken]
    return (own or free or indexes)[0]

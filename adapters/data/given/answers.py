"""From the values that are wanted to the answer that says them: which line, which lines, which part of a line.

An answer is the shortest one that the front reads as the value: a line's number, several numbers in their order, or
the value written out where no line says it alone. Where no line says the value, the nearest ones stand for it.
"""

from collections.abc import Iterable, Iterator, Sequence

from rapidfuzz import fuzz

from adapters.data.given.example import Given
from adapters.data.vocabulary import plain
from adapters.training.contract import visible
from adapters.training.targets import Target
from ocr_frontend.documents.labels import LabelBook
from ocr_frontend.documents.spec import DocumentSpec, FieldSpec
from ocr_frontend.documents.wording import labels_of

MOST_LINES = 5  # that the front's grammar lets an answer join
_LIKE = 80.0  # percent of the letters, below which lines do not stand for a value
_PIECE = 88.0  # below which a line is no piece of it
_NEAR = 3  # lines: how far before a value its label may stand


class Answers:
    """For one document. Built once."""

    def __init__(self, spec: DocumentSpec) -> None:
        self._spec = spec
        self._book = LabelBook(labels_of(spec))

    def lines(self, given: Given) -> tuple[str, ...]:
        """The texts as a prompt numbers them: folded, without blank ones."""
        return tuple(text for line in given.lines if (text := visible(line.text)))

    def targets(self, given: Given) -> tuple[Target, ...]:
        """One a field, over `lines(given)`."""
        lines = self.lines(given)
        page = _Page(lines, self._book)
        taken: set[int] = set()
        found: list[Target] = []
        for spec in self._spec.fields:
            if spec.key in given.targets:
                found.append(given.targets[spec.key])
                continue
            value = given.fields.get(spec.key)
            target = _target(" ".join(value.split()), spec, page, taken) if value and value.strip() else None
            taken |= set(_numbers(target))
            found.append(target)
        return tuple(found)

    def values(self, lines: Sequence[str], targets: Sequence[Target]) -> dict[str, str | None]:
        """What the front makes of such answers, its rules and checks apart."""
        page = _Page(lines, self._book)
        return {spec.key: _read(target, spec, page) for spec, target in zip(self._spec.fields, targets, strict=True)}


class _Page:
    """Lines and the labels in them."""

    def __init__(self, lines: Sequence[str], book: LabelBook) -> None:
        self.lines = lines
        self.readings = [book.read(line) for line in lines]
        self.names = [
            frozenset(name for name in (each.damaged or each.labels) if not name.startswith("="))
            for each in self.readings
        ]

    def text_of(self, index: int, key: str) -> str:
        """The line for a field, without its own label before it or another's behind it, as the front has it."""
        reading = self.readings[index]
        if reading.rest and key in self.names[index]:
            return reading.rest
        return reading.head if reading.head and key not in self.names[index] else self.lines[index]

    def under_own_label(self, index: int, key: str) -> bool:
        """Whether the label in the line, or the nearest one of the few lines before it, is the field's own."""
        for at in range(index, max(-1, index - _NEAR - 1), -1):
            if self.names[at]:
                return key in self.names[at]
        return False


def _read(target: Target, spec: FieldSpec, page: _Page) -> str | None:
    """The value that the front reads from an answer."""
    if target is None:
        return None
    text = target if isinstance(target, str) else " ".join(page.text_of(n, spec.key) for n in _numbers(target))
    found = spec.type.find(" ".join(text.split()))
    return None if found is None else str(found.value)


def _target(value: str, spec: FieldSpec, page: _Page, taken: set[int]) -> Target:
    whole = [n for n in range(len(page.lines)) if _same(_read(n, spec, page), value, spec)]
    if whole:
        return _preferred(whole, spec, page, taken)
    if spec.type.free and (joined := _joined(value, spec, page)):
        return joined
    if _read(value, spec, page) == value and any(_part(value, line) for line in page.lines):
        return value
    return _nearest(value, spec, page) if spec.type.free else None


def _same(read: str | None, value: str, spec: FieldSpec) -> bool:
    if read is None or read == value:
        return read == value
    normal = spec.type.normal(value)
    return normal is not None and spec.type.normal(read) == normal


def _preferred(indexes: Sequence[int], spec: FieldSpec, page: _Page, taken: set[int]) -> int:
    """The first under the field's own label; else the first that no other field has; else the first."""
    own = [n for n in indexes if page.under_own_label(n, spec.key)]
    free = [n for n in indexes if n not in taken]
    return (own or free or indexes)[0]


def _joined(value: str, spec: FieldSpec, page: _Page) -> tuple[int, ...] | None:
    """Lines that say the value one after the other, letter for letter; the tightest where there are several."""
    texts = [_key(page.text_of(n, spec.key)) for n in range(len(page.lines))]

    def go_on(rest: str, taken: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if not rest:
            yield taken
        elif len(taken) < MOST_LINES:
            for n in range(taken[-1] + 1 if taken else 0, len(texts)):
                if texts[n] and rest.startswith(texts[n]):
                    yield from go_on(rest[len(texts[n]) :], (*taken, n))

    found = [numbers for numbers in go_on(_key(value), ()) if len(numbers) > 1]
    return min(found, key=lambda numbers: (numbers[-1] - numbers[0], numbers[0]), default=None)


def _nearest(value: str, spec: FieldSpec, page: _Page) -> Target:
    """The lines most like the value: of all runs of neighbours, and of all lines that are pieces of it."""
    wanted = _key(value)
    if not any(character.isalpha() for character in wanted):
        return None
    texts = [_key(page.text_of(n, spec.key)) for n in range(len(page.lines))]
    runs: list[tuple[int, ...]] = [
        tuple(range(first, first + count))
        for first in range(len(texts))
        for count in range(1, MOST_LINES + 1)
        if first + count <= len(texts)
    ]
    pieces = [n for n, text in enumerate(texts) if len(text) > 1 and _is_piece(text, wanted)]
    runs += [tuple(pieces[at : at + count]) for at in range(len(pieces)) for count in range(1, MOST_LINES + 1)]
    best = max(runs, key=lambda run: (fuzz.ratio("".join(texts[n] for n in run), wanted), -len(run)), default=())
    if not best or fuzz.ratio("".join(texts[n] for n in best), wanted) < _LIKE:
        return None
    kept = tuple(n for n in best if texts[n])
    return kept[0] if len(kept) == 1 else kept


def _is_piece(text: str, wanted: str) -> bool:
    return len(text) <= len(wanted) and fuzz.partial_ratio(text, wanted) >= _PIECE


def _part(value: str, line: str) -> bool:
    """Whether the value stands in the line as words of its own."""
    at = line.find(value)
    while at >= 0:
        before, after = line[at - 1 : at], line[at + len(value) : at + len(value) + 1]
        if not (before.isdigit() or after.isdigit() or (before.isalpha() and value[0].isalpha())):
            return True
        at = line.find(value, at + 1)
    return False


def _numbers(target: Target) -> Iterable[int]:
    return target if isinstance(target, tuple) else (target,) if isinstance(target, int) else ()


def _key(text: str) -> str:
    """Letters and digits, accents and case aside."""
    return "".join(character for character in plain(text.upper()) if character.isalnum())

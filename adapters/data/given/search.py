"""Which lines say a value that no line says alone, and which are the most like one that none says."""

from collections.abc import Iterator

from rapidfuzz import fuzz

from adapters.data.given.page import Page
from adapters.data.vocabulary import plain
from adapters.training.targets import Target
from ocr_frontend.documents.spec import FieldSpec

_MOST_LINES = 5  # that the front's grammar lets an answer join
_LIKE = 80.0  # percent of the letters, below which lines do not stand for a value
_PIECE = 88.0  # below which a line is no piece of it


def joined(value: str, spec: FieldSpec, page: Page) -> tuple[int, ...] | None:
    """Lines that say the value one after the other, letter for letter; the tightest where there are several."""
    texts = [_key(page.text_of(n, spec.key)) for n in range(len(page.lines))]

    def go_on(rest: str, taken: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if not rest:
            yield taken
        elif len(taken) < _MOST_LINES:
            for n in range(taken[-1] + 1 if taken else 0, len(texts)):
                if texts[n] and rest.startswith(texts[n]):
                    yield from go_on(rest[len(texts[n]) :], (*taken, n))

    found = [numbers for numbers in go_on(_key(value), ()) if len(numbers) > 1]
    return min(found, key=lambda numbers: (numbers[-1] - numbers[0], numbers[0]), default=None)


def nearest(value: str, spec: FieldSpec, page: Page) -> Target:
    """The lines most like the value: of all runs of neighbours, and of all lines that are pieces of it."""
    wanted = _key(value)
    if not any(character.isalpha() for character in wanted):
        return None
    texts = [_key(page.text_of(n, spec.key)) for n in range(len(page.lines))]
    runs: list[tuple[int, ...]] = [
        tuple(range(first, first + count))
        for first in range(len(texts))
        for count in range(1, _MOST_LINES + 1)
        if first + count <= len(texts)
    ]
    pieces = [n for n, text in enumerate(texts) if len(text) > 1 and _is_piece(text, wanted)]
    runs += [tuple(pieces[at : at + count]) for at in range(len(pieces)) for count in range(1, _MOST_LINES + 1)]
    best = max(runs, key=lambda run: (fuzz.ratio("".join(texts[n] for n in run), wanted), -len(run)), default=())
    if not best or fuzz.ratio("".join(texts[n] for n in best), wanted) < _LIKE:
        return None
    kept = tuple(n for n in best if texts[n])
    return kept[0] if len(kept) == 1 else kept


def _is_piece(text: str, wanted: str) -> bool:
    return len(text) <= len(wanted) and fuzz.partial_ratio(text, wanted) >= _PIECE


def is_part(value: str, line: str) -> bool:
    """Whether the value stands in the line as words of its own."""
    at = line.find(value)
    while at >= 0:
        before, after = line[at - 1 : at], line[at + len(value) : at + len(value) + 1]
        if not (before.isdigit() or after.isdigit() or (before.isalpha() and value[0].isalpha())):
            return True
        at = line.find(value, at + 1)
    return False


def _key(text: str) -> str:
    """Letters and digits, accents and case aside."""
    return "".join(character for character in plain(text.upper()) if character.isalnum())

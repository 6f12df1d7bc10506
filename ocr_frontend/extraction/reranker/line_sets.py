"""The lines that a field may have: none, one, or some below or beside each other."""

from collections.abc import Iterable
from itertools import islice

from ocr_frontend.documents.letters import has_number, letters
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.extraction.reranker.surroundings import Surroundings

Lines = tuple[int, ...]

_FEWEST = 2  # letters of free text
_ROWS, _PIECES = 5, 6  # of one value; of one row
_MOST = 200  # values of so many rows that are looked at: cards have 64, lines that somebody made up may have any number


def line_sets(around: Surroundings, spec: FieldSpec, proposed: Iterable[Lines]) -> list[Lines]:
    """Every set once, none of lines first. proposed: by the model, the rules and the labels, whatever they are."""
    single = [n for n in range(len(around.places)) if _may_hold(around, spec, n)]
    sets: list[Lines] = [(), *((n,) for n in single)]
    if spec.type.free:
        rows = {n: _rows(around, n, frozenset(single)) for n in single}
        sets += [row for several in rows.values() for row in several]
        values: list[tuple[Lines, Lines]] = [((n,), row) for n in single for row in (rows[n][0], rows[n][-1])]
        for _ in range(1, min(spec.max_lines, _ROWS)):
            longer = (
                ((*begins, below), (*lines, *row))
                for begins, lines in values
                for below in around.followers[begins[-1]]
                if below in rows and below not in lines
                for row in (rows[below][0], rows[below][-1])
            )
            values = list(islice(dict.fromkeys(islice(longer, 2 * _MOST)), _MOST))
            sets += [lines for _, lines in values]
    else:
        sets += _in_pieces(around, spec, frozenset(single))
    return list(dict.fromkeys([*sets, *proposed]))


def _in_pieces(around: Surroundings, spec: FieldSpec, whole: frozenset[int]) -> list[Lines]:
    """Rows of pieces that are a value together, and none of them alone: `17`, `07`, `2018`."""
    rest = frozenset(n for n in range(len(around.places)) if n not in whole and has_number(around.page.lines[n].text))
    rows = (row for n in sorted(rest) for row in _rows(around, n, rest)[1:])
    return [row for row in rows if spec.type.holds(" ".join(around.page.text_of(n, spec.key) for n in row))]


def _rows(around: Surroundings, first: int, allowed: frozenset[int]) -> list[Lines]:
    """A line alone, then with more and more of the pieces that stand right of it in its row."""
    found: list[Lines] = [(first,)]
    while len(found) < _PIECES:
        row = found[-1]
        after = [n for n in around.beside[row[-1]] if n in allowed and n not in row]
        if not after:
            break
        found.append((*row, min(after, key=lambda n: around.places[n].left)))
    return found


def _may_hold(around: Surroundings, spec: FieldSpec, line: int) -> bool:
    page = around.page
    if page.only_label(line, spec.key):
        return False
    text = page.text_of(line, spec.key)
    if spec.type.free:
        return len(letters(text)) >= _FEWEST and not page.fitting(line)
    return spec.type.holds(text)

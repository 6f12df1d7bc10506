"""The lines that a field may have: none, one, or some below or beside each other."""

from collections.abc import Iterable, Mapping
from itertools import islice

from ocr_frontend.documents.letters import has_number, letters
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.extraction.reranker.surroundings import Surroundings
from ocr_frontend.ocr.geometry import rows_from

Lines = tuple[int, ...]

_FEWEST = 2  # letters of free text
_ROWS = 5  # of one value
_MOST = 200  # chains of rows that are looked at: cards have 40, lines that somebody made up may have any number


def line_sets(around: Surroundings, spec: FieldSpec, proposed: Iterable[Lines]) -> list[Lines]:
    """Every set once, none of lines first. proposed: by the model, the rules and the labels, whatever they are."""
    single = [n for n in range(len(around.places)) if _may_hold(around, spec, n)]
    sets: list[Lines] = [(), *((n,) for n in single)]
    if spec.type.free:
        rows = {n: _rows(around, n, frozenset(single)) for n in single}
        sets += [row for several in rows.values() for row in several]
        sets += [lines for chain in _chains(around, rows, min(spec.max_lines, _ROWS)) for lines in _ways(chain, rows)]
    else:
        sets += _in_pieces(around, spec, frozenset(single))
    return list(dict.fromkeys([*sets, *proposed]))


def _chains(around: Surroundings, rows: Mapping[int, list[Lines]], most: int) -> list[Lines]:
    """The first lines of rows below each other, two rows up to `most`."""
    found = list[Lines]()
    last: list[Lines] = [(n,) for n in rows]
    for _ in range(1, most):
        longer = ((*c, n) for c in last for n in around.followers[c[-1]] if n in rows and n not in c)
        last = list(islice(longer, _MOST - len(found)))
        found += last
    return found


def _ways(chain: Lines, rows: Mapping[int, list[Lines]]) -> list[Lines]:
    """A chain's rows with all of their pieces, with the first ones alone, and all but one with all of them."""
    whole: list[Lines] = [rows[n][-1] for n in chain]
    ways: list[list[Lines]] = [whole, [(n,) for n in chain]]
    ways += [[*whole[:at], (n,), *whole[at + 1 :]] for at, n in enumerate(chain) if len(whole[at]) > 1]
    joined = (tuple(n for row in way for n in row) for way in ways)
    return [lines for lines in joined if len(set(lines)) == len(lines)]


def _in_pieces(around: Surroundings, spec: FieldSpec, whole: frozenset[int]) -> list[Lines]:
    """Rows of pieces that are a value together, and none of them alone: `17`, `07`, `2018`."""
    rest = frozenset(n for n in range(len(around.places)) if n not in whole and has_number(around.page.lines[n].text))
    rows = (row for n in sorted(rest) for row in _rows(around, n, rest)[1:])
    return [row for row in rows if spec.type.holds(" ".join(around.page.text_of(n, spec.key) for n in row))]


def _rows(around: Surroundings, first: int, allowed: frozenset[int]) -> list[Lines]:
    """A line alone, then with more and more of its row's other pieces."""
    return list(rows_from(first, around.places, lambda n: allowed.intersection(around.beside[n])))


def _may_hold(around: Surroundings, spec: FieldSpec, line: int) -> bool:
    page = around.page
    if page.only_label(line, spec.key):
        return False
    text = page.text_of(line, spec.key)
    if spec.type.free:
        return len(letters(text)) >= _FEWEST and not page.fitting(line)
    return spec.type.holds(text)

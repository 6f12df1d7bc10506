"""The lines that a field may have: none, one, or some below or beside each other."""

from collections.abc import Iterable

from ocr_frontend.documents.letters import letters
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.extraction.reranker.surroundings import Surroundings

Lines = tuple[int, ...]

_FEWEST = 2  # letters of free text


def line_sets(around: Surroundings, spec: FieldSpec, proposed: Iterable[Lines]) -> list[Lines]:
    """Every set once, none of lines first. proposed: by the model, the rules and the labels, whatever they are."""
    single = [n for n in range(len(around.places)) if _may_hold(around, spec, n)]
    sets: list[Lines] = [(), *((n,) for n in single)]
    if spec.type.free:
        allowed = frozenset(single)
        pairs = [(n, after) for n in single for after in _after(around, spec, (n,)) if after in allowed]
        sets += pairs
        if spec.max_lines > 2:
            sets += [(*pair, after) for pair in pairs for after in _after(around, spec, pair) if after in allowed]
    return list(dict.fromkeys([*sets, *proposed]))


def _after(around: Surroundings, spec: FieldSpec, lines: Lines) -> list[int]:
    """What may go on with them: beside the last one, and below it or, of a row in pieces, below its first one."""
    last, row = lines[-1], lines[-1:]
    if len(lines) > 1 and last in around.beside[lines[-2]]:
        row = lines[-2:]
    below = [n for each in row for n in around.followers[each]] if spec.max_lines > 1 else []
    return [n for n in (*around.beside[last], *below) if n not in lines]


def _may_hold(around: Surroundings, spec: FieldSpec, line: int) -> bool:
    page = around.page
    if page.only_label(line, spec.key):
        return False
    text = page.text_of(line, spec.key)
    if spec.type.free:
        return len(letters(text)) >= _FEWEST and not page.fitting(line)
    return spec.type.holds(text)

"""The lines that a field may have: none, one, or some below each other."""

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
    if spec.type.free and spec.max_lines > 1:
        allowed = frozenset(single)
        pairs = [(n, below) for n in single for below in around.followers[n] if below in allowed]
        sets += pairs
        if spec.max_lines > 2:
            sets += [(*pair, below) for pair in pairs for below in around.followers[pair[1]] if below in allowed]
    return list(dict.fromkeys([*sets, *proposed]))


def _may_hold(around: Surroundings, spec: FieldSpec, line: int) -> bool:
    page = around.page
    if page.only_label(line, spec.key):
        return False
    text = page.text_of(line, spec.key)
    if spec.type.free:
        return len(letters(text)) >= _FEWEST and not page.fitting(line)
    return spec.type.holds(text)

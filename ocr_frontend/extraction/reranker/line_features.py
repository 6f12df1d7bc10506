"""What lines say for and against being a field's value: their print and their labels."""

from ocr_frontend.documents.letters import has_number
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.documents.text_kinds import shipped_kinds
from ocr_frontend.extraction.checks import impossible
from ocr_frontend.extraction.reranker.line_ends import Features, of_ends
from ocr_frontend.extraction.reranker.line_sets import Lines
from ocr_frontend.extraction.reranker.opinions import Opinions
from ocr_frontend.extraction.reranker.surroundings import FAR, Side, Surroundings, before, side_of


def of_lines(around: Surroundings, spec: FieldSpec, lines: Lines, opinions: Opinions) -> Features:
    """Of a set of at least one line, from top to bottom, for one field."""
    page, key, first = around.page, spec.key, lines[0]
    text = " ".join(page.text_of(n, key) for n in lines)
    owners, fitting, height = page.owners(first), page.fitting(first), around.places[first].height
    own, other = _claims(around, key, first)
    return {
        "claimed": own,
        "claimed_by_other": other,
        "owned": key in owners,
        "owned_alone": owners == {key},
        "owned_by_other": bool(owners) and key not in owners,
        "fits": key in fitting,
        "fits_other": bool(fitting) and key not in fitting,
        "own_label_inside": any(key in page.labels_in(n) for n in lines),
        "other_label_inside": any(page.labels_in(n) - {key} for n in lines),
        "number": spec.type.free and has_number(text),
        "may_be_label": any(page.may_be_label(n) for n in lines),
        "is_label": any(around.labels[n] for n in lines),
        "like_missing": max(page.likeness_to_missing(n) for n in lines) if spec.type.free else 0.0,
        "label_words": max(page.label_words[n] for n in lines),
        "static": max(page.like_static[n] for n in lines),
        "score": min(page.lines[n].confidence for n in lines),
        "height_to_values": height / around.looks.value_height,
        "height_to_labels": height / around.looks.label_height,
        "height_to_lines": height / around.looks.line_height,
        "down": around.looks.down(first),
        "upper": text.isupper(),
        "letters": len(text),
        "words": len(text.split()),
        "brackets": text.count("(") - text.count(")"),
        "impossible": _impossible(around, spec, text),
        **shipped_kinds().features(text, spec.standard),
        **_most("pale", [around.looks.paleness[n] for n in lines]),
        **_most("tilt", [around.looks.tilts[n] for n in lines]),
        **_beside_label(around, key, lines),
        **of_ends(around, key, lines, opinions),
    }


def _most(name: str, numbers: list[float | None]) -> Features:
    """The largest of those that are known."""
    known = [number for number in numbers if number is not None]
    return {name: max(known)} if known else {}


def _impossible(around: Surroundings, spec: FieldSpec, text: str) -> bool:
    """Whether the document's own checks say that there is no such day or number for this field."""
    found = None if spec.type.free else spec.type.find(text)
    return found is not None and impossible(around.page.spec, spec.key, found.value)


def _claims(around: Surroundings, key: str, line: int) -> tuple[float, float]:
    """By what this page prints on that side: the best claim of the field's own label, and of another nearest one."""
    own, nearest = dict[Side, float](), dict[Side, float]()
    for side, away, names in around.labels_around[line]:
        nearest[side] = min(nearest.get(side, FAR), away)
        if key in names:
            own[side] = min(own.get(side, FAR), away)
    mine = [around.share[side] for side, away in own.items() if away <= nearest[side]]
    theirs = [around.share[side] for side, away in nearest.items() if own.get(side, FAR) > away]
    return max(mine, default=-2.0), max(theirs, default=-2.0)


def _beside_label(around: Surroundings, key: str, lines: Lines) -> Features:
    """How far the field's own label, all lines of it that are near, reaches above the value and below it, in heights:
    a label stands over its value, under it, or before the middle of its lines."""
    mine = [
        label
        for label, place in enumerate(around.places)
        if label not in lines and key in around.page.labels_in(label)
        if before(around.places[lines[0]], around.places[lines[-1]], place)
        or any(side_of(around.places[n], place) for n in lines)
    ]
    if not mine:
        return {}
    value, labels = [around.places[n] for n in lines], [around.places[n] for n in mine]
    height = around.places[lines[0]].height
    first, last = min(p.middle for p in labels), max(p.middle for p in labels)
    top, bottom = value[0].middle, value[-1].middle
    return {
        "label_over": (top - first) / height,
        "label_under": (last - bottom) / height,
        "label_middle": (first + last - top - bottom) / 2 / height,
    }

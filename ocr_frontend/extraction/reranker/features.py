"""What speaks for a set of lines as a field's value, and against it, as numbers. The trees weigh them.

All of them are about fields, labels and lines as such, so that they say the same of any document.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

from ocr_frontend.documents.letters import has_number
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.extraction.reranker.line_sets import Lines
from ocr_frontend.extraction.reranker.surroundings import SIDES, Side, Surroundings, side_of

VERSION = 3  # of the names and meanings below: trees of another version are not asked
Features = dict[str, float]
_FAR = 9.0
_NOBODY = -9.0


@dataclass(frozen=True, slots=True)
class Opinions:
    """Who takes which lines for which field. model: what the model named; odds: its log-odds; written: fields that it
    wrote out; rules: what the rules made of it; changes: how many of them had a say; labels: `match_labels`."""

    model: Mapping[str, Lines]
    odds: Mapping[str, float]
    written: frozenset[str]
    rules: Mapping[str, Lines]
    changes: Mapping[str, int]
    labels: Mapping[str, Lines]


def of_sets(around: Surroundings, spec: FieldSpec, sets: Sequence[Lines], opinions: Opinions) -> list[Features]:
    """Of each set of lines for a field. Numbers that say nothing about it are left out."""
    of_field = _of_field(around, spec, opinions)

    def of_set(lines: Lines) -> Features:
        own = _of_lines(around, spec, lines, opinions) if lines else _of_none(around, spec.key, opinions)
        return of_field | _agreement(spec.key, lines, opinions) | own

    return [of_set(lines) for lines in sets]


def row(features: Features, names: Sequence[str]) -> list[float]:
    """In the order of `names`, NaN where there is none."""
    return [float(features.get(name, nan)) for name in names]


def _of_field(around: Surroundings, spec: FieldSpec, opinions: Opinions) -> Features:
    key = spec.key
    return {
        "free": spec.type.free,
        "most_lines": spec.max_lines,
        "model_odds": opinions.odds.get(key, 0.0),
        "model_null": not opinions.model[key] and key not in opinions.written,
        "model_written": key in opinions.written,
        "rules_null": not opinions.rules[key],
        "rules_changes": opinions.changes.get(key, 0),
        "label_read": any(key in around.page.labels_in(n) for n in range(len(around.places))),
        "labels_known": key in opinions.labels,
        **{f"share_{side}": around.share[side] for side in SIDES},
    }


def _agreement(key: str, lines: Lines, opinions: Opinions) -> Features:
    found: Features = {"lines": len(lines)}
    for name, opinion in (("model", opinions.model), ("rules", opinions.rules), ("labels", opinions.labels)):
        if key in opinion:
            found[f"{name}_same"] = set(lines) == set(opinion[key])
            found[f"{name}_shared"] = _shared(lines, opinion[key])
            found[f"{name}_first"] = bool(lines and opinion[key] and lines[0] == opinion[key][0])
        elsewhere = [other for other, theirs in opinion.items() if other != key and set(theirs) & set(lines)]
        found[f"{name}_elsewhere"] = len(elsewhere)
        if name == "model":
            found["model_elsewhere"] = max((opinions.odds.get(other, 0.0) for other in elsewhere), default=_NOBODY)
    if key in opinions.labels:
        found["labels_null"] = not opinions.labels[key]
    found["labels_lines"] = len(set(lines) & {n for theirs in opinions.labels.values() for n in theirs})
    return found


def _taken_by_others(key: str, opinion: Mapping[str, Lines]) -> set[int]:
    return {n for other, theirs in opinion.items() if other != key for n in theirs}


def _shared(one: Lines, other: Lines) -> float:
    """Jaccard's index; 1 for two empty sets."""
    both = set(one) | set(other)
    return len(set(one) & set(other)) / len(both) if both else 1.0


def _of_lines(around: Surroundings, spec: FieldSpec, lines: Lines, opinions: Opinions) -> Features:
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
        "height_to_values": height / around.value_height,
        "height_to_labels": height / around.label_height,
        "height_to_lines": height / around.line_height,
        "down": around.down(first),
        "upper": text.isupper(),
        "letters": len(text),
        "words": len(text.split()),
        **_beside_label(around, key, lines),
        **_ends(around, key, lines, opinions),
    }


def _claims(around: Surroundings, key: str, line: int) -> tuple[float, float]:
    """By what this page prints on that side: the best claim of the field's own label, and of another nearest one."""
    own, nearest = dict[Side, float](), dict[Side, float]()
    for side, away, names in around.labels_around[line]:
        nearest[side] = min(nearest.get(side, _FAR), away)
        if key in names:
            own[side] = min(own.get(side, _FAR), away)
    mine = [around.share[side] for side, away in own.items() if away <= nearest[side]]
    theirs = [around.share[side] for side, away in nearest.items() if own.get(side, _FAR) > away]
    return max(mine, default=-2.0), max(theirs, default=-2.0)


def _beside_label(around: Surroundings, key: str, lines: Lines) -> Features:
    """How far the field's own label, all lines of it that are near, reaches above the value and below it, in heights:
    a label stands over its value, under it, or before the middle of its lines."""
    mine = [
        label
        for label, place in enumerate(around.places)
        if label not in lines and key in around.page.labels_in(label) and side_of(around.places[lines[0]], place)
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


def _ends(around: Surroundings, key: str, lines: Lines, opinions: Opinions) -> Features:
    """Whether the value may go on below, or have begun above."""
    page, last = around.page, lines[-1]
    below = [n for n in around.followers[last] if n not in lines]
    above = [
        n for n, after in enumerate(around.followers) if lines[0] in after and n not in lines and not around.labels[n]
    ]
    others = _taken_by_others(key, opinions.rules)
    found: Features = {
        "below": len(below),
        "below_owned": any(key in page.owners(n) for n in below),
        "below_elsewhere": any(n in others for n in below),
        "below_gap": min((around.gap(last, n) for n in below), default=_FAR),
        "below_number": any(has_number(page.lines[n].text) for n in below),
        "below_label": any(page.may_be_label(n) for n in below),
        "below_score": max((page.lines[n].confidence for n in below), default=0.0),
        "above": len(above),
        "above_owned": any(key in page.owners(n) for n in above),
        "above_model": any(n in opinions.model[key] for n in above),
    }
    if len(lines) > 1:
        upper, lower = around.places[lines[0]], around.places[lines[1]]
        found["gap"] = around.gap(lines[0], lines[1])
        found["aside"] = page.value_places[lines[0]].apart(lower)
        found["sizes"] = lower.height / upper.height
        found |= _of_second(around, key, lines, opinions)
    return found


def _of_second(around: Surroundings, key: str, lines: Lines, opinions: Opinions) -> Features:
    page, second = around.page, lines[1]
    owners, text = page.owners(second), page.lines[second].text
    return {
        "second_owned": key in owners,
        "second_owned_by_other": bool(owners - {key}),
        "second_same_case": page.lines[lines[0]].text.isupper() == text.isupper(),
        "second_letters": len(text),
        "second_model": second in opinions.model[key],
        "second_model_elsewhere": second in _taken_by_others(key, opinions.model),
    }


def _of_none(around: Surroundings, key: str, opinions: Opinions) -> Features:
    page = around.page
    near = [
        n for n in range(len(around.places)) if key in page.owners(n) and not around.labels[n] and not page.labels_in(n)
    ]
    others = _taken_by_others(key, opinions.rules)
    away = [
        away
        for label, near_labels in zip(around.labels, around.labels_around, strict=True)
        if not label
        for _, away, names in near_labels
        if key in names
    ]
    return {"near": len(near), "near_free": sum(n not in others for n in near), "nearest": min(away, default=_FAR)}

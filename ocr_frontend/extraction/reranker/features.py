"""What speaks for a set of lines as a field's value, and against it, as numbers. The trees weigh them.

All of them are about fields, labels and lines as such, so that they say the same of any document.
"""

from collections.abc import Sequence
from math import nan

from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.extraction.reranker.line_ends import Features
from ocr_frontend.extraction.reranker.line_features import of_lines
from ocr_frontend.extraction.reranker.line_sets import Lines
from ocr_frontend.extraction.reranker.opinions import Opinions, taken_by_others
from ocr_frontend.extraction.reranker.order import Order
from ocr_frontend.extraction.reranker.surroundings import FAR, SIDES, Surroundings

VERSION = 7  # of the names and meanings below: trees of another version are not asked
_NOBODY = -9.0


def of_sets(
    around: Surroundings, spec: FieldSpec, sets: Sequence[Lines], opinions: Opinions, order: Order
) -> list[Features]:
    """Of each set of lines for a field. Numbers that say nothing about it are left out."""
    key = spec.key
    of_field = _of_field(around, spec, opinions) | order.of_field(key)

    def of_set(lines: Lines) -> Features:
        if not lines:
            return of_field | _agreement(key, lines, opinions) | _of_none(around, key, opinions)
        own = of_lines(around, spec, lines, opinions) | order.of_lines(key, lines)
        return of_field | _agreement(key, lines, opinions) | own

    return [of_set(lines) for lines in sets]


def row(features: Features, names: Sequence[str]) -> list[float]:
    """In the order of `names`, NaN where there is none."""
    return [float(features.get(name, nan)) for name in names]


def _of_field(around: Surroundings, spec: FieldSpec, opinions: Opinions) -> Features:
    key = spec.key
    return {
        "free": spec.type.free,
        "most_lines": spec.max_lines,
        "model_null": not opinions.model[key] and key not in opinions.written,
        "model_written": key in opinions.written,
        "rules_null": not opinions.rules[key],
        "rules_changes": opinions.changes.get(key, 0),
        "label_read": any(key in around.page.labels_in(n) for n in range(len(around.places))),
        "labels_known": key in opinions.labels,
        "broken": _broken(around, key, opinions),
        **{f"share_{side}": around.share[side] for side in SIDES},
    }


def _broken(around: Surroundings, key: str, opinions: Opinions) -> float:
    """How many of the page's other values of free text go over lines, by its labels, in [0, 1]."""
    others = [spec.key for spec in around.page.spec.fields if spec.type.free and spec.key != key]
    found = [opinions.labels[other] for other in others if opinions.labels.get(other)]
    return sum(len(lines) > 1 for lines in found) / len(found) if found else 0.0


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
    odds = opinions.odds.get(key, 0.0)
    found["model_for"] = odds if found["model_same"] and key not in opinions.written else -odds
    if key in opinions.labels:
        found["labels_without"] = len(set(opinions.labels[key]) - set(lines))
        found["labels_null"] = not opinions.labels[key]
    found["labels_lines"] = len(set(lines) & {n for theirs in opinions.labels.values() for n in theirs})
    return found


def _shared(one: Lines, other: Lines) -> float:
    """Jaccard's index; 1 for two empty sets."""
    both = set(one) | set(other)
    return len(set(one) & set(other)) / len(both) if both else 1.0


def _of_none(around: Surroundings, key: str, opinions: Opinions) -> Features:
    page = around.page
    near = [
        n for n in range(len(around.places)) if key in page.owners(n) and not around.labels[n] and not page.labels_in(n)
    ]
    others = taken_by_others(key, opinions.rules)
    away = [
        away
        for label, near_labels in zip(around.labels, around.labels_around, strict=True)
        if not label
        for _, away, names in near_labels
        if key in names
    ]
    return {"near": len(near), "near_free": sum(n not in others for n in near), "nearest": min(away, default=FAR)}

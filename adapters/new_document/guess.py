"""A document file guessed from labelled examples: a start, to be read by someone who knows the document."""

from collections.abc import Sequence
from typing import Any

from adapters.data.given.answers import Answers
from adapters.data.given.example import Given
from adapters.new_document.labels import common_lines, marks, printed_labels
from adapters.new_document.types import type_of
from adapters.training.dataset import Labelled
from ocr_frontend.documents.spec import parse_spec


def keys_of(examples: Sequence[Given]) -> list[str]:
    """The fields of all examples, in the order in which they are first seen."""
    return list(dict.fromkeys(key for example in examples for key in example.fields))


def guess(name: str, examples: Sequence[Given]) -> dict[str, Any]:
    """The content of a document file: types, lines a value, labels, and what tells the document."""
    keys = keys_of(examples)
    fields: list[dict[str, Any]] = [
        {"key": key, "type": type_of([value for each in examples if (value := each.fields.get(key))])} for key in keys
    ]
    samples = _samples({"name": name, "title": {"en": name}, "fields": fields}, examples)
    for number, field in enumerate(fields):
        most = max((len(t) for s in samples if isinstance(t := s.targets[number], tuple)), default=1)
        if most > 1:
            field["max_lines"] = most
        field["label"] = {"en": field["key"].replace("_", " ").capitalize()}
        if labels := printed_labels(samples, number, field["key"]):
            field["printed"] = {"en": labels}
    lines = common_lines(samples, (label for field in fields for label in field.get("printed", {}).get("en", ())))
    found: dict[str, Any] = {
        "name": name,
        "title": {"en": name.replace("-", " ").capitalize()},
        "page": _page(examples),
    }
    found["fields"] = fields
    if lines:
        found["static"] = lines
    labelled = sum("printed" in field for field in fields)
    found["recognise"] = {"labels": max(1, min(2, labelled)), **({"marks": marks(lines)} if marks(lines) else {})}
    return found


def _samples(content: dict[str, Any], examples: Sequence[Given]) -> list[Labelled]:
    spec = parse_spec(content)
    answers = Answers(spec)
    return [Labelled(spec.name, answers.lines(each), answers.targets(each)) for each in examples]


def _page(examples: Sequence[Given]) -> str:
    """The shape of the pages, by where their lines stand; `any` where nothing says so, or some are each."""
    upright = []
    for example in examples:
        points = [point for line in example.lines for point in line.polygon]
        if points:
            xs, ys = [x for x, _ in points], [y for _, y in points]
            upright.append(max(ys) - min(ys) > 1.15 * (max(xs) - min(xs)))
    if upright and sum(upright) >= 0.95 * len(upright):
        return "portrait"
    return "any"

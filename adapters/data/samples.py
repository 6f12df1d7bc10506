"""Training and evaluation samples: OCR lines and, for each field, which line says it."""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from adapters.data.documents import DocumentName, FieldType, fields_of, forms_in
from adapters.data.layout import lay_out
from adapters.data.lines import Line
from adapters.data.people import Record, sample_record
from adapters.data.simulated_ocr.reading import read_sheet
from adapters.data.simulated_ocr.segments import Segment
from adapters.data.vocabulary import Split

# docs/decisions/0001: a line's index, a literal string where the line is not the value, or None where nothing is shown.
Target = int | str | None


@dataclass(frozen=True)
class Sample:
    """`targets` has the document's fields in answer order."""

    record: Record
    lines: list[Line]
    targets: dict[str, Target]


def text_sample(rng: random.Random, document: DocumentName, split: Split) -> Sample:
    """A record and its simulated OCR lines."""
    record = sample_record(rng, document, split)
    types = fields_of(document)
    segments = read_sheet(rng, lay_out(rng, record, split), types)
    lines = [Line(" ".join(s.text.split()), s.score) for s in segments]
    return Sample(record, lines, {key: target_of(key, kind, segments) for key, kind in types.items()})


def text_samples(seed: int, count: int, split: Split, documents: Iterable[DocumentName]) -> Iterable[Sample]:
    """`count` samples, the documents in turn; sample i depends on the seed and i alone."""
    names = tuple(documents)
    for index in range(count):
        yield text_sample(random.Random(f"{seed}:{split}:{index}"), names[index % len(names)], split)


def target_of(key: str, kind: FieldType, segments: list[Segment]) -> Target:
    """Where the segments say the field."""
    found = [(i, part.text) for i, s in enumerate(segments) for part in s.parts if part.field == key]
    if not found:
        return None
    if len(found) > 1:
        return " ".join(text for _, text in found)
    index, text = found[0]
    return index if says(kind, segments[index].text, text) else text


def says(kind: FieldType, line: str, value: str) -> bool:
    """Whether the line's number is an answer: the line is the value, or holds one thing of its type."""
    return line == value or (kind != "text" and len(forms_in(kind, line)) == 1)

"""Modelled OCR of a hard card, without drawing it: its labels are damaged first, its lines come apart and together."""

import random
from dataclasses import replace
from itertools import pairwise

from adapters.data.documents import DocumentName, FieldType, fields_of
from adapters.data.hard.layout import lay_out
from adapters.data.hard.page import Mark
from adapters.data.hard.values import hard_record
from adapters.data.hard.varied import varied_style
from adapters.data.lines import Line
from adapters.data.samples import Sample, target_of
from adapters.data.simulated_ocr.misreadings import (
    CLEAN,
    MILD,
    Damage,
    misread_label,
    misread_number,
    misread_value,
    misread_zone,
    wrecked,
)
from adapters.data.simulated_ocr.reading import ordered
from adapters.data.simulated_ocr.segments import Part, Segment
from adapters.data.vocabulary import Split

_STRAY = ("CIMEN", "SPECIM", "TRAVA", "PATRIE", "PAIX", "CMR", "CAMERO", "RC", "IDENTI", "OOO", "iIl", "M", "1", "")
_LOST_LABEL = 0.05


def hard_text_sample(rng: random.Random, document: DocumentName, split: Split, *, varied: bool = False) -> Sample:
    """A hard card's record and its simulated OCR lines; `varied`: laid out and worded anew (varied.py)."""
    record = hard_record(rng, document, split)
    page = lay_out(rng, record, split, varied_style(rng, split) if varied else None)
    types = fields_of(document)
    bad = rng.random() < 0.5
    damage = rng.choice((CLEAN, MILD))
    segments = [
        Segment((Part(_read(rng, run, types, damage, bad), run[0].field),), run[0].role, run[0].x, run[0].y, 0.9)
        for run in _words(page.marks)
        if run[0].role != "label" or rng.random() > _LOST_LABEL
    ]
    segments = _joined(rng, segments, page.marks)
    for _ in range(rng.choices((0, 1, 2, 3), (45, 30, 15, 10))[0]):
        at = rng.uniform(0, page.size[0]), rng.uniform(0, page.size[1])
        segments.append(Segment((Part(rng.choice(_STRAY)),), "background", *at, 0.6))
    segments = ordered(rng, [segment for segment in segments if segment.text])
    lines = [Line(" ".join(segment.text.split()), segment.score) for segment in segments]
    return Sample(record, lines, {key: target_of(key, kind, segments) for key, kind in types.items()})


def _words(marks: list[Mark]) -> list[list[Mark]]:
    """Marks that touch on one line are one run: a word in small capitals and its neighbours."""
    runs: list[list[Mark]] = []
    for mark in marks:
        last = runs[-1][-1] if runs else None
        same = last is not None and last.role == mark.role == "label" and abs(last.y - mark.y) < last.size * 0.3
        if last is not None and same and 0 <= mark.x - (last.x + last.width) < last.size * 0.6:
            runs[-1].append(mark)
        else:
            runs.append([mark])
    return runs


def _text(run: list[Mark]) -> str:
    text = run[0].text
    for before, mark in pairwise(run):
        text += ("" if mark.x - (before.x + before.width) < before.size * 0.15 else " ") + mark.text
    return text


def _read(rng: random.Random, run: list[Mark], types: dict[str, FieldType], damage: Damage, bad: bool) -> str:
    mark, text = run[0], " ".join(_text(run).split())
    if mark.role == "mrz":
        return misread_zone(rng, text, damage)
    if mark.role == "value":
        kind = types.get(mark.field or "", "text")
        return misread_value(rng, text, damage) if kind == "text" else misread_number(rng, text, damage)
    if mark.role == "other":
        return misread_value(rng, text, damage)
    return wrecked(rng, text) if bad and rng.random() < 0.7 else misread_label(rng, text, damage)


def _joined(rng: random.Random, segments: list[Segment], marks: list[Mark]) -> list[Segment]:
    """Neighbours on one line come as one segment where they stand close; a value now and then in two."""
    ends = {(mark.x, mark.y): (mark.x + mark.width, mark.size) for mark in marks}
    out: list[Segment] = []
    for segment in segments:
        last = out[-1] if out else None
        if last is not None and last.role in ("label", "value") and segment.role in ("label", "value"):
            end, size = ends.get((last.x, last.y), (last.x, 0))
            gap, level = segment.x - end, abs(last.y - segment.y) < size
            if level and 0 <= gap < size * 2 and rng.random() < (0.75 if gap < size else 0.15):
                out[-1] = replace(last, parts=last.parts + segment.parts)
                continue
        words = segment.text.split(" ")
        if segment.role == "value" and len(words) > 1 and len(segment.parts) == 1 and rng.random() < 0.03:
            cut, field = rng.randrange(1, len(words)), segment.parts[0].field
            out.append(replace(segment, parts=(Part(" ".join(words[:cut]), field),)))
            out.append(replace(segment, parts=(Part(" ".join(words[cut:]), field),), x=segment.x + 24 * len(words[0])))
            continue
        out.append(segment)
    return out

"""From what was found to the bodies that are answered: data in, data out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ocr_frontend.bodies.schemas import (
    Advice,
    Alternative,
    Extraction,
    FieldAnswer,
    LineAnswer,
    MrzAnswer,
    OcrAnswer,
    QualityAnswer,
    QualityCheck,
    WarningAnswer,
)
from ocr_frontend.documents.machine_readable import MachineReadable
from ocr_frontend.documents.spec import DocumentSpec, FieldSpec
from ocr_frontend.extraction.assemble import Assembled, Field
from ocr_frontend.extraction.llm_step import Answer
from ocr_frontend.extraction.warnings import Warning_
from ocr_frontend.ocr.contents import Contents
from ocr_frontend.ocr.pool import Page
from ocr_frontend.ocr.quality import ADVICE


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and the document that it is of: a model's contract may have brought it."""

    body: Extraction
    spec: DocumentSpec


def extraction(
    request_id: str,
    spec: DocumentSpec,
    answer: Answer,
    page: Page,
    assembled: Assembled,
    seconds: Mapping[str, float],
    thresholds: Mapping[str, float],
) -> Extraction:
    """The answer about one card; boxes are those of the picture as it was sent. thresholds: of its quality."""
    fields = {each.key: field_answer(assembled.fields[each.key], each, page) for each in spec.fields}
    return Extraction(
        id=request_id,
        document=spec.name,
        model=answer.completion.model,
        data={key: field.value for key, field in fields.items()},
        fields=fields,
        ocr=ocr_answer(page),
        timings_ms={stage: round(value * 1000) for stage, value in seconds.items()},
        usage=answer.completion.usage.model_dump(),
        mrz=None if assembled.mrz is None else mrz_answer(assembled.mrz),
        quality=quality_answer(page.quality, thresholds),
        needs_review=assembled.needs_review,
        warnings=warning_answers(assembled.warnings),
    )


def field_answer(field: Field, spec: FieldSpec, page: Page) -> FieldAnswer:
    """The value with what it was read from, its normalised form, how sure it is and why."""
    found = field.resolved
    return FieldAnswer(
        value=found.value,
        confidence=field.confidence,
        evidence=field.evidence,
        source=found.source,
        status=field.status,
        needs_review=field.needs_review,
        box=None if found.box is None else page.box_as_sent(found.box),
        lines=field.lines,
        normalized=spec.type.normal(found.value),
        warnings=warning_answers(found.warnings),
        alternatives=tuple(Alternative(value=value, source=source) for value, source in found.alternatives),
    )


def warning_answers(warnings: Iterable[Warning_]) -> tuple[WarningAnswer, ...]:
    """As they are sent."""
    return tuple(
        WarningAnswer(code=each.code, field=each.about, message=each.message, params=dict(each.params))
        for each in warnings
    )


def left_out_pages(contents: Contents, page: int) -> tuple[WarningAnswer, ...]:
    """What is said of the pages of a file that were not read."""
    return warning_answers(Warning_(code, None, params) for code, params in contents.left_out(page).items())


def mrz_answer(mrz: MachineReadable) -> MrzAnswer:
    """Null where a check digit does not hold."""
    return MrzAnswer.model_validate({name: getattr(mrz, name) for name in MrzAnswer.model_fields})


def quality_answer(scores: Mapping[str, float], thresholds: Mapping[str, float]) -> QualityAnswer:
    """Scores against thresholds, with an advice below them."""
    checks = {}
    for name, score in scores.items():
        ok, (french, english) = score >= thresholds[name], ADVICE[name]
        advice = None if ok else Advice(fr=french, en=english)
        checks[name] = QualityCheck(score=score, threshold=thresholds[name], ok=ok, advice=advice)
    return QualityAnswer(ok=all(check.ok for check in checks.values()), checks=checks)


def ocr_answer(page: Page) -> OcrAnswer:
    """All lines, blank ones too."""
    lines = tuple(
        LineAnswer(text=line.text, confidence=line.confidence, box=page.box_as_sent(line.box)) for line in page.lines
    )
    return OcrAnswer(lines=lines, size=page.size)

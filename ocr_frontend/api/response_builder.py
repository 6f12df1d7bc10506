"""From what was found to the bodies that are answered: data in, data out."""

from collections.abc import Mapping

from ocr_frontend.api.schemas import Advice, FieldAnswer, LineAnswer, OcrAnswer, QualityAnswer, QualityCheck, ZoneAnswer
from ocr_frontend.documents.machine_readable import MachineReadable
from ocr_frontend.documents.registry import FieldSpec
from ocr_frontend.extraction.checks import normalized
from ocr_frontend.extraction.resolve import Resolved
from ocr_frontend.ocr.pool import Page
from ocr_frontend.ocr.quality import ADVICE


def field_answer(
    field: Resolved,
    spec: FieldSpec,
    confidence: float | None,
    evidence: Mapping[str, float],
    lines: tuple[int, ...] = (),
) -> FieldAnswer:
    """The value with what it was read from, its normalised form, how sure it is and why."""
    return FieldAnswer(
        value=field.value,
        confidence=confidence,
        evidence=dict(evidence),
        source=field.source,
        box=field.box,
        lines=lines,
        normalized=normalized(field.value, spec),
        warnings=field.warnings,
    )


def zone_answer(zone: MachineReadable) -> ZoneAnswer:
    """Null where a check digit does not hold."""
    return ZoneAnswer(
        holds=zone.holds,
        numero_de_carte=zone.document_number,
        identifiant_unique=zone.optional_data or None,
        date_of_birth=zone.birth_date,
        date_of_expiration=zone.expiry_date,
        sex=zone.sex,
        surname=zone.surname,
        given_names=zone.given_names,
    )


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
    lines = tuple(LineAnswer(text=line.text, confidence=line.confidence, box=line.box) for line in page.lines)
    return OcrAnswer(lines=lines, size=page.size)

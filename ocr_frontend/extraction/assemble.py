"""What an answer is worth: its fields checked against each other and the zone, each with how sure it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from ocr_frontend.api.response_builder import field_answer
from ocr_frontend.api.schemas import FieldAnswer
from ocr_frontend.documents.classify import Detection
from ocr_frontend.documents.machine_readable import Expected, MachineReadable, find_machine_readable
from ocr_frontend.documents.registry import Document, record_model
from ocr_frontend.errors import InvalidAnswer
from ocr_frontend.extraction.asking import Answer
from ocr_frontend.extraction.checks import with_warnings, with_zone
from ocr_frontend.extraction.confidence import Calibration
from ocr_frontend.extraction.evidence import gather
from ocr_frontend.extraction.grounding import lines_of
from ocr_frontend.extraction.resolve import Resolved
from ocr_frontend.ocr.pool import Page

_ZONE = Expected(formats=("TD1",), states=("CMR",), document_number="n" * 9, optional_data="aa" + "n" * 8)


@dataclass(frozen=True, slots=True)
class Judged:
    """The flat `data`, its fields, the machine-readable zone where there is one, and the warnings about it all."""

    record: dict[str, str | float | None]
    fields: dict[str, FieldAnswer]
    zone: MachineReadable | None
    warnings: tuple[str, ...]


def judge(document: Document, answer: Answer, page: Page, detection: Detection, calibration: Calibration) -> Judged:
    """Raises InvalidAnswer where the values do not fit the document."""
    model = answer.completion.model
    zone = find_machine_readable(page.lines, _ZONE) if document.name == "cni-2025-verso" else None
    fields = with_warnings(with_zone(document, answer.fields, zone, page.lines), zone)
    record = _record(document, fields)
    evidence = gather(document, fields, answer.given, answer.used, answer.logprobs, answer.prompt.lines)
    shown = {
        spec.name: field_answer(
            fields[spec.name],
            spec,
            calibration.confidence(model, evidence[spec.name]),
            evidence[spec.name],
            lines_of(fields[spec.name], answer.used.get(spec.name), answer.prompt.lines, page.lines),
        )
        for spec in document.fields
    }
    return Judged(record, shown, zone, tuple(_warnings(document, detection, answer)))


def _record(document: Document, fields: Mapping[str, Resolved]) -> dict[str, str | float | None]:
    """The flat `data`, validated. Raises InvalidAnswer; pydantic's message would quote the value."""
    try:
        record = record_model(document.name).model_validate({name: field.value for name, field in fields.items()})
    except ValidationError:
        raise InvalidAnswer("The model's answer does not fit the document.") from None
    return record.model_dump()


def _warnings(document: Document, detection: Detection, answer: Answer) -> Iterator[str]:
    if detection.document is not None and detection.document is not document:
        yield f"The picture looks like {detection.document.name}, not {document.name}."
    if detection.sure_none:
        yield f"The picture does not look like {document.name}. {detection.reason}"
    if answer.prompt.dropped:
        yield f"{answer.prompt.dropped} lines of text beyond the first {len(answer.prompt.lines)} were not used."
    if all(field.value is None for field in answer.fields.values()):
        yield f"None of the fields of {document.name} was found on the picture."

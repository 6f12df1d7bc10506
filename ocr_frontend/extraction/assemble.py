"""From the model's elements to the fields that are answered: candidates, values, zone, checks, confidence, status."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ocr_frontend.documents.classify import Detection
from ocr_frontend.documents.evidence import Evidence
from ocr_frontend.documents.machine_readable import MachineReadable
from ocr_frontend.documents.page import LabelledPage
from ocr_frontend.documents.spec import DocumentSpec
from ocr_frontend.extraction.candidate import Candidate
from ocr_frontend.extraction.checks import DOUBTFUL, check
from ocr_frontend.extraction.confidence import Weights
from ocr_frontend.extraction.evidence import gather, has_orphan, log_odds
from ocr_frontend.extraction.grounding import ground
from ocr_frontend.extraction.llm_step import Answer
from ocr_frontend.extraction.mrz import read_mrz, with_mrz
from ocr_frontend.extraction.reranker.choose import Choices, reranked
from ocr_frontend.extraction.reranker.trees import Trees
from ocr_frontend.extraction.resolve import Resolved, resolve_all
from ocr_frontend.extraction.rules import candidates, claimed_lines
from ocr_frontend.extraction.warnings import Warning_
from ocr_frontend.ocr.textline import TextLine

Status = Literal["read", "absent", "unreadable"]
_ALWAYS_REVIEWED = DOUBTFUL | {"answer_cut"}
_GUESSED = "document_guessed"
_DOUBTED = frozenset({_GUESSED, "looks_like_other", "looks_like_none"})  # whether it is this document at all
_NO_DIRT = 0.3  # OCR's score of a line that may be a value which can hardly be read


@dataclass(frozen=True, slots=True)
class Field:
    """One field as it is answered. lines: of the page, blank ones counted too.

    status: `read`; `absent`, where nothing on the page says that there is a value; `unreadable`, where something does.
    """

    resolved: Resolved
    lines: tuple[int, ...]
    status: Status
    confidence: float | None
    evidence: Evidence
    needs_review: bool


@dataclass(frozen=True, slots=True)
class Assembled:
    """All fields in order, the machine-readable zone where there is one, and the warnings about the whole answer.

    choices: the lines that each field might have had, before the reranker chose.
    """

    fields: dict[str, Field]
    mrz: MachineReadable | None
    warnings: tuple[Warning_, ...]
    choices: Choices

    @property
    def needs_review(self) -> bool:
        """Whether a person should look at it: at a field of it, or at whether it is this document at all."""
        return any(field.needs_review for field in self.fields.values()) or any(
            warning.code in _DOUBTED for warning in self.warnings
        )


def assemble(
    spec: DocumentSpec,
    answer: Answer,
    lines: Sequence[TextLine],
    detection: Detection,
    weights: Weights | None,
    today: datetime.date | None = None,
    trees: Trees | None = None,
) -> Assembled:
    """lines: all that were read; trees: of the reranker, which is not asked without them.

    Pure computation of some milliseconds; it belongs on a thread."""
    page = LabelledPage(spec, answer.prompt.lines)
    found = candidates(ground(answer.elements, page), page)
    odds = {key: log_odds(answer.logprobs.get(key, 0.0)) for key in found}
    given = Choices(found, odds, page)
    sure = dict[str, float]()
    if trees is not None:
        changed, sure = reranked(found, given, trees)
        for key, candidate in changed.items():
            found[key].append(candidate)
            sure[key] = min(0.0, sure[key])  # its own choice against the model's never raises a confidence
    mrz = read_mrz(spec, lines)
    fields = with_mrz(spec, resolve_all(found, page), mrz, lines)
    told = check(spec, {key: field.value for key, field in fields.items()}, today)
    told += [Warning_("answer_cut", key) for key in fields if key in answer.cut]
    fields = {
        key: replace(field, warnings=(*field.warnings, *(each for each in told if each.about == key)))
        for key, field in fields.items()
    }
    evidence = gather(page, fields, found, answer.logprobs, sure)
    places = _places(page, lines)
    shown = {
        key: _field(spec, key, fields[key], (evidence or {}).get(key), weights, page, found, places) for key in fields
    }
    return Assembled(shown, mrz, tuple(_about_all(spec, detection, answer, fields)), given)


def _field(
    spec: DocumentSpec,
    key: str,
    field: Resolved,
    evidence: Evidence | None,
    weights: Weights | None,
    page: LabelledPage,
    found: Mapping[str, Sequence[Candidate]],
    places: Mapping[int, int],
) -> Field:
    confidence = weights.confidence(evidence) if weights and evidence is not None else None
    lines = tuple(places[index] for index in field.lines if index in places)
    review = bool(field.warnings) if confidence is None else confidence < spec.review.of(key)
    status = _status(spec, key, field, page, found)
    review = review or status == "unreadable" or bool(field.codes & _ALWAYS_REVIEWED)
    return Field(field, lines, status, confidence, evidence or {}, review)


def _status(
    spec: DocumentSpec, key: str, field: Resolved, page: LabelledPage, found: Mapping[str, Sequence[Candidate]]
) -> Status:
    if field.value is not None:
        return "read"
    claimed = claimed_lines(found)
    field_spec = spec.field(key)
    assert field_spec is not None
    named = field.codes & {"no_value", "no_such_line", "label_left_out", "answer_cut"}
    return "unreadable" if named or has_orphan(field_spec, page, claimed, _NO_DIRT) else "absent"


def _places(page: LabelledPage, lines: Sequence[TextLine]) -> dict[int, int]:
    """The prompt's line numbers as places among all lines: blank ones have no number in the prompt."""
    by_identity = {id(line): place for place, line in enumerate(lines)}
    return {n: by_identity[id(line)] for n, line in enumerate(page.lines) if id(line) in by_identity}


def _about_all(
    spec: DocumentSpec, detection: Detection, answer: Answer, fields: Mapping[str, Resolved]
) -> list[Warning_]:
    found = []
    shown = spec.name if detection.document is None else detection.document.name
    if shown != spec.name and not detection.guessed:
        found.append(Warning_("looks_like_other", None, {"shown": shown, "asked": spec.name}))
    if shown == spec.name and detection.guessed:
        found.append(Warning_(_GUESSED, None, {"shown": shown}))
    if detection.sure_none:
        found.append(Warning_("looks_like_none", None, {"asked": spec.name}))
    if answer.prompt.dropped:
        params = {"dropped": answer.prompt.dropped, "used": len(answer.prompt.lines)}
        found.append(Warning_("lines_not_used", None, params))
    if all(field.value is None for field in fields.values()):
        found.append(Warning_("nothing_found", None, {"asked": spec.name}))
    return found

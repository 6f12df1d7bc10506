"""The bodies that the routes answer with. Data only: `extraction` fills them, `api` and `jobs` serve them."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

Point = tuple[int, int]
Quad = tuple[Point, Point, Point, Point]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True)


class WarningAnswer(_Body):
    """A warning. `code` is stable; `field`: null where it is about the whole answer; `message`: in English, made from
    the code and `params` (`GET /v1/warnings` has every code's sentence in English and French)."""

    code: str
    field: str | None = None
    message: str
    params: dict[str, str | int | float] = {}


class Alternative(_Body):
    """Another value that was proposed for a field, and by what."""

    value: str | float
    source: str


class FieldAnswer(_Body):
    """One field. `box`: where it was read, None where it was read nowhere; `lines`: the segments it
    was read from, counted in `ocr.lines`.

    confidence: how likely the field is exactly right, in [0, 1]; null where nobody has calibrated the model.
    source: `ocr`, `mrz`, `model` (it wrote the value otherwise than the text), or `rule:NAME` where a rule changed what
    the model said; `alternatives` then has the model's value.
    status: `read`, `absent` (nothing says that there is a value) or `unreadable` (something does).
    needs_review: the confidence is below the document's threshold for this field, or it is unreadable.
    evidence: the numbers that the confidence is made of; those that are 0 are left out.
    """

    value: str | float | None
    confidence: float | None
    source: str = "ocr"
    status: Literal["read", "absent", "unreadable"] = "read"
    needs_review: bool = False
    box: Quad | None
    lines: tuple[int, ...] = ()
    normalized: str | float | None = None
    warnings: tuple[WarningAnswer, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    evidence: dict[str, float] = {}


class LineAnswer(_Body):
    """One OCR segment."""

    text: str
    confidence: float
    box: Quad


class OcrAnswer(_Body):
    """All segments in reading order; `size` is (width, height) of the upright picture, in pixels."""

    lines: tuple[LineAnswer, ...]
    size: tuple[int, int]


class MrzAnswer(_Body):
    """A machine-readable zone (ICAO Doc 9303). A value with a check digit is null unless it holds; dates are ISO.

    holds: all check digits hold. Sex, nationality and names have none. `lines`: counted in `ocr.lines`.
    """

    format: Literal["TD1", "TD3"]
    holds: bool
    document_code: str
    issuing_state: str
    document_number: str | None
    optional_data: str | None
    birth_date: date | None
    expiry_date: date | None
    sex: str | None
    nationality: str
    surname: str | None
    given_names: str | None
    names_truncated: bool = False
    lines: tuple[int, ...] = ()


class Advice(_Body):
    """What the sender can do about it."""

    fr: str
    en: str


class QualityCheck(_Body):
    """One property of the photo: a score in [0, 1], 1 is good, and an advice where it is below the threshold."""

    score: float
    threshold: float
    ok: bool
    advice: Advice | None


class QualityAnswer(_Body):
    """`ok` when every check is. The photo is answered either way."""

    ok: bool
    checks: dict[str, QualityCheck]


class Extraction(_Body):
    """`POST /v1/extract`."""

    id: str
    document: str
    model: str
    data: dict[str, str | float | None]
    fields: dict[str, FieldAnswer]
    ocr: OcrAnswer
    timings_ms: dict[str, int]
    usage: dict[str, int]
    mrz: MrzAnswer | None = None
    quality: QualityAnswer
    needs_review: bool = False
    warnings: tuple[WarningAnswer, ...] = ()


class LegacyExtraction(_Body):
    """`POST /upload`."""

    success: Literal[True] = True
    raw_text: str
    extracted_data: dict[str, str | float | None]
    warnings: tuple[WarningAnswer, ...] = ()


class ModelEntry(_Body):
    """One model of `GET /models`."""

    id: str
    name: str
    has_adapter: bool


class ModelList(_Body):
    """`GET /models`."""

    models: list[ModelEntry]

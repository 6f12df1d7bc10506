"""The bodies that the routes answer with. Data only; `routes` serves them, `pipeline` fills them."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

Point = tuple[int, int]
Quad = tuple[Point, Point, Point, Point]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True)


class WarningAnswer(_Body):
    """A warning. `code` is stable; `field`: null where it is about the whole answer; `message`: in English, made from
    the code and `params`."""

    code: str
    field: str | None = None
    message: str
    params: dict[str, str | int | float] = {}


class FieldAnswer(_Body):
    """One field. `box`: where it was read, None where it was read nowhere (source `model`); `lines`: the segments it
    was read from, counted in `ocr.lines`.

    confidence: how likely the field is exactly right, in [0, 1]; null where nobody has calibrated the model.
    evidence: the numbers that the confidence is made of; those that are 0 are left out.
    """

    value: str | float | None
    confidence: float | None
    source: Literal["ocr", "mrz", "model"] = "ocr"
    box: Quad | None
    lines: tuple[int, ...] = ()
    normalized: str | float | None = None
    warnings: tuple[str, ...] = ()
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


class ZoneAnswer(_Body):
    """The machine-readable zone of the 2025 verso. A value with a check digit is null unless it holds; dates are ISO.

    holds: the composite check digit holds too, and with it the NIC number. Sex and names have no check digit.
    """

    holds: bool
    numero_de_carte: str | None
    identifiant_unique: str | None
    date_of_birth: date | None
    date_of_expiration: date | None
    sex: str | None
    surname: str | None
    given_names: str | None


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
    mrz: ZoneAnswer | None = None
    quality: QualityAnswer
    warnings: tuple[str, ...] = ()


class LegacyExtraction(_Body):
    """`POST /upload`."""

    success: Literal[True] = True
    raw_text: str
    extracted_data: dict[str, str | float | None]
    warnings: tuple[str, ...] = ()


class ModelEntry(_Body):
    """One model of `GET /models`."""

    id: str
    name: str
    has_adapter: bool


class ModelList(_Body):
    """`GET /models`."""

    models: list[ModelEntry]

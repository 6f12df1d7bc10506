"""What a document is, as one declarative file says it (docs/reference/documents.md).

The file is YAML or JSON. It is read by the front, by training and evaluation, and by the page, and it can travel in a
revision's contract, so that an adapter for a new document needs no change here.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ocr_frontend.documents.types import ValueType, make_type

Key = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^\w[\w.-]*$")]
Texts = tuple[str, ...]
AUTO = "auto"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Words(_Part):
    """What people are shown, by language; English where a language is missing."""

    en: str = Field(min_length=1)
    fr: str = ""

    def of(self, language: str) -> str:
        """In the language, or English."""
        return (self.fr if language == "fr" else "") or self.en


class Printed(_Part):
    """One label as the document prints it, in each language. OCR may split the languages apart or glue them.

    optional: not every copy of the document prints it, so nothing is missed where it is not read.
    """

    fr: Texts = ()
    en: Texts = ()
    both: Texts = ()  # the same in both languages, or a sign
    optional: bool = False

    @property
    def texts(self) -> Texts:
        """All of them."""
        return (*self.fr, *self.en, *self.both)


def _one_type(given: Any) -> Any:
    return given if isinstance(given, ValueType) else make_type(given)


class FieldSpec(_Part):
    """One field of the answer.

    standard: what it is in any document (`surname`, `birth_date`, …), by which sides and documents are compared;
    max_lines: on which its value may stand; label: for people; printed: its label on the paper.
    """

    key: Key
    standard: str = ""
    type: Annotated[ValueType, BeforeValidator(_one_type)] = Field(default_factory=lambda: make_type("text"))
    max_lines: int = Field(default=1, ge=1, le=5)
    label: Words | None = None
    printed: Printed = Printed()

    @property
    def name(self) -> str:
        """The JSON key."""
        return self.key


class MachineReadable(_Part):
    """A machine-readable zone (ICAO Doc 9303): its format, the states that issue this document, and its part of fields.

    shapes: of `document_number` and `optional_data`, `n` for a digit, `a` for a letter; fields: key to the zone's part
    (`document_number`, `optional_data`, `birth_date`, `expiry_date`, `sex`, `surname`, `given_names`).
    """

    format: Literal["TD1", "TD3"]
    states: Texts = ()
    shapes: dict[Literal["document_number", "optional_data"], Annotated[str, Field(pattern=r"^[an]+$")]] = {}
    fields: dict[Key, str] = {}


class Check(_Part):
    """What must hold of the values; `code` names one of `ocr_frontend.extraction.checks.RULES`."""

    code: str
    field: Key
    other: Key | None = None
    least: float | None = None
    most: float | None = None


class Recognise(_Part):
    """How a picture is known to show this document.

    labels: how many of its labels must be read; marks: texts that it alone prints, each worth three labels;
    issuers: what may follow REPUBLIQUE DU / REPUBLIC OF; number_at: `first` or `last` third of the lines, where a
    number without a label stands alone (`number`: its digits); proof: a field whose values have a form that no other
    document's have, by which labels in one language are enough.
    """

    labels: int = 3
    marks: Texts = ()
    issuers: Texts = ()
    number: int = 0
    number_at: Literal["first", "last"] | None = None
    proof: Key | None = None


class Review(_Part):
    """Confidence below which a person should look: `default`, or by field."""

    default: float = Field(default=0.9, ge=0, le=1)
    fields: dict[Key, float] = {}

    def of(self, field: str) -> float:
        """The threshold of a field."""
        return self.fields.get(field, self.default)


class DocumentSpec(_Part):
    """A document, or one side of one, with its fields in the order of the answer."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]
    family: str = ""
    side: str = ""
    title: Words
    about: str = ""  # in English, for a model that was not trained on it
    page: Literal["landscape", "portrait", "any"] = "any"
    fields: tuple[FieldSpec, ...] = ()
    printed: tuple[Printed, ...] = ()  # labels that have no field
    static: Texts = ()  # whole lines that are never a value
    recognise: Recognise = Recognise()
    machine_readable: MachineReadable | None = None
    checks: tuple[Check, ...] = ()
    review: Review = Review()

    @model_validator(mode="after")
    def _agrees(self) -> "DocumentSpec":
        keys = [field.key for field in self.fields]
        if self.name == AUTO or len(set(keys)) != len(keys):
            raise ValueError("a document is not named auto, and its keys differ")
        named = {
            *self.review.fields,
            *(self.machine_readable.fields if self.machine_readable else ()),
            *(check.field for check in self.checks),
            *(check.other for check in self.checks if check.other),
            *([self.recognise.proof] if self.recognise.proof else []),
        }
        if not named <= set(keys):
            raise ValueError(f"there is no field {', '.join(sorted(named - set(keys)))}")
        return self

    @property
    def keys(self) -> tuple[str, ...]:
        """JSON keys in order."""
        return tuple(field.key for field in self.fields)

    @property
    def readable(self) -> bool:
        """Whether there is anything to read: a document without fields is known only to be told apart."""
        return bool(self.fields)

    def field(self, key: str) -> FieldSpec | None:
        """By its key."""
        return next((field for field in self.fields if field.key == key), None)

    def json_schema(self) -> dict[str, Any]:
        """JSON schema of `data`, each field or null."""
        return {
            "type": "object",
            "title": self.name,
            "properties": {field.key: _or_null(field.type.json_schema()) for field in self.fields},
            "required": list(self.keys),
            "additionalProperties": False,
        }


def parse_spec(given: Mapping[str, Any]) -> DocumentSpec:
    """Raises ValueError with one sentence that names the place and what is wrong there."""
    try:
        return DocumentSpec.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise ValueError(f"{place}: {first['msg'].removeprefix('Value error, ')}") from None


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    out = dict(schema)
    if kind is not None:
        out["type"] = [kind, "null"]
    if "enum" in out:
        out["enum"] = [*out["enum"], None]
    return out

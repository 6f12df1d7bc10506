"""How a model wants to be asked and how it answers: the contract that a revision carries (docs/reference/api.md)."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ocr_frontend.documents.registry import Documents
from ocr_frontend.documents.spec import DocumentSpec, parse_spec
from ocr_frontend.errors import UnknownDocument


class Sampling(BaseModel):
    """What the owner of a model knows of its sampling; greedy where it says nothing."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    temperature: float = Field(default=0.0, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=1)
    repetition_penalty: float | None = Field(default=None, gt=0)
    seed: int | None = None

    def body(self) -> dict[str, float | int]:
        """As `/v1/completions` takes it."""
        return self.model_dump(exclude_none=True)


class DocumentPrompt(BaseModel):
    """What a model was trained on for one document.

    fields: the keys that it answers, in order; schema: JSON schema of its answer where that is an object;
    spec: the document's own file, where the front need not know the document.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True)

    prefix: str
    fields: tuple[str, ...] = Field(min_length=1, max_length=64)
    answer_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    spec: DocumentSpec | None = None

    @field_validator("spec", mode="before")
    @classmethod
    def _parsed(cls, given: object) -> object:
        return parse_spec(given) if isinstance(given, Mapping) else given


class Contract(BaseModel):
    """answer: `lines` (an array of line numbers, docs/decisions/0001) or `object` (one JSON object).

    line: how a line is written, with {text} and {index}; suffix: what follows the lines. stop, max_tokens, sampling:
    of the answer.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    answer: Literal["lines", "object"]
    line: str
    suffix: str
    documents: dict[str, DocumentPrompt]
    order: Literal["plain"] = "plain"
    sampling: Sampling = Sampling()
    stop: tuple[str, ...] = ()
    max_tokens: int | None = Field(default=None, ge=1)

    @field_validator("documents")
    @classmethod
    def _can_be_documents(cls, given: dict[str, DocumentPrompt]) -> dict[str, DocumentPrompt]:
        for name, prompt in given.items():
            try:
                prompt.spec or _plain(name, prompt)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return given

    def of(self, name: str) -> DocumentPrompt:
        """Raises UnknownDocument when the model was not trained for it."""
        try:
            return self.documents[name]
        except KeyError:
            raise UnknownDocument(f"This model was not trained for {name}.") from None

    def known(self, documents: Documents) -> Documents:
        """The front's documents and those that this contract brings."""
        brought = (prompt.spec or _plain(name, prompt) for name, prompt in self.documents.items()
                   if prompt.spec is not None or documents.find(name) is None)  # fmt: skip
        return documents.with_these(brought)


def _plain(name: str, prompt: DocumentPrompt) -> DocumentSpec:
    """A document of which nothing is known but its keys: all of them free text. Raises ValueError."""
    return parse_spec({"name": name, "title": {"en": name}, "fields": [{"key": key} for key in prompt.fields]})


def built_in(documents: Documents) -> Contract:
    """For base models, and for adapters that say nothing about their prompt."""
    return Contract(
        answer="object",
        line="{text}\n",
        suffix="<|im_end|>\n<|im_start|>assistant\n",
        documents={
            name: DocumentPrompt(prefix=_instruction(spec), fields=spec.keys)
            for name, spec in documents.readable.items()
        },
    )


def _instruction(spec: DocumentSpec) -> str:
    keys = "\n".join(f"- {field.key}" + (f": {field.type.hint}" if field.type.hint else "") for field in spec.fields)
    return (
        "<|im_start|>user\n"
        f"Below is the OCR text of {spec.about or spec.title.en}, one segment a line. "
        "Answer with one JSON object that has exactly these keys, in this order. Copy each value from the text. "
        f"Use null for a value that the text does not show.\n{keys}\n\nOCR text:\n"
    )

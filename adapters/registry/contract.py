"""The prompt contract of a revision (docs/decisions/0001): how it is asked, how its answers are read.

What a key is not said to be is the front's own choice; a contract says only what its owner knows.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

_MOST_TEXT = 20_000  # characters of one template


class _Strict(BaseModel):
    """Keys that were not given are not written: a contract of before they existed keeps its hash."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_serializer(mode="wrap")
    def _only_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        empty = {key for name, field in type(self).model_fields.items() for key in (name, field.alias)
                 if field.default is None and getattr(self, name) is None}  # fmt: skip
        return {key: value for key, value in handler(self).items() if key not in empty}


Text = Annotated[str, Field(max_length=_MOST_TEXT)]


class Sampling(_Strict):
    """As in vLLM's completions; greedy where nothing is said."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=-1, le=1_000_000)
    repetition_penalty: float | None = Field(default=None, gt=0, le=2)
    seed: int | None = Field(default=None, ge=0, lt=1 << 63)


class Chat(_Strict):
    """Messages that were rendered through the base's chat template into prefix and suffix: kept as their source."""

    system: Text | None = None
    user: Text


class DocumentPrompt(_Strict):
    """What one document type adds: its prefix, its fields in order, their JSON schema.

    `spec`: a whole document file for the front, where the document is none of those that it knows.
    """

    prefix: Text
    fields: list[str] = Field(min_length=1, max_length=64)
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    spec: dict[str, Any] | None = None


class PromptContract(_Strict):
    """How the front renders a prompt for this revision and reads its answer."""

    answer: Literal["lines", "object"]
    line: Text
    suffix: Text
    documents: dict[str, DocumentPrompt]
    order: Literal["plain", "columns"] | None = None
    sampling: Sampling | None = None
    stop: list[Annotated[str, Field(min_length=1, max_length=100)]] | None = Field(default=None, max_length=8)
    max_tokens: int | None = Field(default=None, ge=1, le=8192)
    thinking: bool | None = None
    chat: Chat | None = None

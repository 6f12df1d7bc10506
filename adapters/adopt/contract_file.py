"""The contract file (YAML): what an adapter's owner knows of how it was trained to be asked.

Untrusted where it comes over HTTP: no aliases (a few lines of them grow without end), no tags, bounded size.
"""

from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from adapters.registry.contract import Chat, Sampling, Text
from adapters.registry.errors import Refused

LINES = "{lines}"
_MOST_BYTES = 256 << 10
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_KEY = Annotated[str, Field(min_length=1, max_length=100)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DocumentEntry(_Strict):
    """One document. `fields` may be left to the schema's properties or the spec's keys; `title` is for {document}."""

    prefix: Text | None = None
    title: str | None = Field(default=None, max_length=200)
    fields: list[_KEY] | None = Field(default=None, min_length=1, max_length=64)
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    spec: dict[str, Any] | None = None

    @property
    def keys(self) -> list[str]:
        """The answer's keys in order; empty where nothing says them."""
        if self.fields is not None:
            return self.fields
        if self.schema_ is not None:
            return [str(key) for key in self.schema_["properties"]]
        return [str(field["key"]) for field in self.spec["fields"]] if self.spec is not None else []

    @model_validator(mode="after")
    def _consistent(self) -> "DocumentEntry":
        if self.schema_ is not None:
            properties = self.schema_.get("properties")
            if self.schema_.get("type") != "object" or not isinstance(properties, dict) or not properties:
                raise ValueError("schema must be that of an object: type: object, and properties in the answer's order")
        if self.spec is not None:
            fields = self.spec.get("fields")
            keyed = isinstance(fields, list) and fields and all(isinstance(f, dict) and "key" in f for f in fields)
            if "name" not in self.spec or not keyed:
                raise ValueError("spec must hold name and fields, each with a key")
        if not self.keys:
            raise ValueError("name its fields, or give a schema or a spec that does")
        return self


class ContractFile(_Strict):
    """Either `chat`, which is rendered through the base's chat template, or `prefix`es and `suffix` as they are."""

    answer: Literal["lines", "object"] = "object"
    order: Literal["plain", "columns"] | None = None
    line: Text | None = None
    suffix: Text | None = None
    chat: Chat | None = None
    thinking: bool = False
    sampling: Sampling | None = None
    stop: list[Annotated[str, Field(min_length=1, max_length=100)]] | None = Field(default=None, max_length=8)
    max_tokens: int | None = Field(default=None, ge=1, le=8192)
    documents: dict[_Name, DocumentEntry] = Field(min_length=1, max_length=64)

    @model_validator(mode="after")
    def _one_way(self) -> "ContractFile":
        if self.chat is not None:
            if self.suffix is not None or any(entry.prefix is not None for entry in self.documents.values()):
                raise ValueError("chat makes prefix and suffix: leave them out, or leave chat out")
            if self.chat.user.count(LINES) != 1:
                raise ValueError(f"chat.user must hold {LINES} once, the place of the OCR text")
        elif self.suffix is None or any(entry.prefix is None for entry in self.documents.values()):
            raise ValueError("without chat, suffix and each document's prefix are needed")
        if self.answer == "lines" and "{index}" not in (self.line or ""):
            raise ValueError("answer: lines needs a line that holds {index}")
        if self.line is not None and "{text}" not in self.line:
            raise ValueError("line must hold {text}, the place of one OCR line")
        return self


class _NoAliases(yaml.SafeLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not taken")
        return super().compose_node(parent, index)


def read_contract_file(text: bytes) -> ContractFile:
    """Raises Refused with one sentence that names the place."""
    if len(text) > _MOST_BYTES:
        raise Refused("contract", f"The contract file is larger than {_MOST_BYTES >> 10} KiB.")
    try:
        content = yaml.load(text.decode("utf-8"), Loader=_NoAliases)
        return ContractFile.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        said = first["msg"].removeprefix("Value error, ")
        raise Refused("contract", f"The contract file: {place}: {said}.") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = "" if line is None else f" (line {line + 1})"
        raise Refused("contract", f"The contract file is no YAML that can be read{where}.") from error

"""The manifest of a revision (docs/decisions/0002), with its prompt contract (docs/decisions/0001)."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.registry.atomic import write_file
from adapters.registry.canonical import read_json
from adapters.registry.contract import DocumentPrompt as DocumentPrompt  # noqa: PLC0414 importers know it from here
from adapters.registry.contract import PromptContract as PromptContract  # noqa: PLC0414
from adapters.registry.digest import MANIFEST_FILE
from adapters.registry.limits import MAX_MANIFEST

Hex64 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Revision = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
FormName = Literal["bf16", "nf4", "int8", "int4", "other"]
AdapterName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Base(_Strict):
    """The base model that the adapter was trained on.

    `fingerprint` is of its embedding, `weights` of every layer (fingerprint.py); older manifests have the first only.
    """

    name: str
    fingerprint: Hex64
    weights: Hex64 | None = None
    architecture: str
    hidden_size: int = Field(gt=0)
    layers: int = Field(gt=0)


class TrainedOn(_Strict):
    """The form of the base's weights that the adapter learned on; integer forms were imitated (fake quantization)."""

    form: FormName


class Confidences(_Strict):
    """How far a front may trust this revision's answers: weights of the evidence that it gathers, by its version of it.

    `python -m adapters calibrate` fits them (docs/decisions/0012).
    """

    evidence: int = Field(ge=1)
    intercept: float
    weights: dict[Annotated[str, Field(max_length=64)], float] = Field(max_length=256)


class GoldenCase(_Strict):
    """A prompt and the answer that the revision must give."""

    prompt: str
    expected: str | dict[str, Any] | list[Any]


class Golden(_Strict):
    """A small set that a revision must pass before it serves: `floor` is the least share of right answers."""

    floor: float = Field(ge=0, le=1)
    cases: list[GoldenCase] = Field(min_length=1, max_length=64)


class Manifest(BaseModel):
    """`manifest.json`. Unknown keys are kept: they are part of the content digest."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True, allow_inf_nan=False)

    format: Literal[1] = 1
    name: AdapterName
    revision: Revision | None = None
    base: Base
    trained_on: TrainedOn | None = None
    sha256: Hex64
    prompt: PromptContract | None = None
    recipe: dict[str, Any] = Field(default_factory=dict)
    seed: int | None = None
    samples: int | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    training: dict[str, Any] | None = None  # as revisions say it whose name was made of it too
    measured: dict[str, Any] | None = None
    scores: dict[str, Any] | None = None
    golden: Golden | None = None
    calibration: Confidences | None = None

    def to_json(self) -> str:
        """The manifest as it is written to disk."""
        return json.dumps(self.model_dump(mode="json", by_alias=True, exclude_none=True), indent=1, ensure_ascii=False)


def annotate(path: Path, key: str, value: object) -> None:
    """Put what is known after the content (`NOT_CONTENT`) into the manifest in `path`, all else as it stands.

    Raises OSError, and ValueError for a manifest that is no JSON object.
    """
    content = read_json(path, MAX_MANIFEST)
    if not isinstance(content, dict):
        raise ValueError(f"{MANIFEST_FILE} holds a {type(content).__name__}, not an object")
    write_file(path, json.dumps({**content, key: value}, indent=1, ensure_ascii=False).encode() + b"\n")


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest in `folder`, None where there is none. Raises OSError, and ValueError with one sentence for a broken
    one: not JSON, numbers that are not finite, keys that are missing or wrong.
    """
    path = folder / MANIFEST_FILE
    if not path.exists():
        return None
    raw = read_json(path, MAX_MANIFEST)
    try:
        return Manifest.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ValueError(f"{MANIFEST_FILE}: {place[:200]}: {first['msg']}") from error

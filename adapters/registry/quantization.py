"""The manifest of a quantized base (`quantization.json`): what was done to which base, for a server to judge."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.registry.manifest import Base

QUANTIZATION_FILE = "quantization.json"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Calibration(_Strict):
    """The prompts that a calibrated method saw: synthetic, seeded. `adapter`: the revision that was on the base."""

    samples: int = Field(gt=0)
    tokens: int = Field(gt=0)
    seed: int
    source: str
    adapter: str | None = None


class Quantization(_Strict):
    """`base` is the original: its fingerprint is what adapters name. `files`: bytes of each weights file.

    `stored`: how the weights lie on disk; NF4, which no engine here computes with, is written back in bfloat16.
    `error`: mean over the modules of |W - Q| / |W| (Frobenius norms).
    """

    format: Literal[1] = 1
    method: str
    bits: int = Field(gt=0, le=16)
    group: int | None = None
    activations: str
    embedding: str
    stored: str
    base: Base
    calibration: Calibration | None = None
    modules: int = Field(gt=0)
    error: float = Field(ge=0)
    files: dict[str, int]
    seconds: float = Field(ge=0)
    versions: dict[str, str] = Field(default_factory=dict)
    scores: dict[str, Any] | None = None

    def to_json(self) -> str:
        """As it is written to disk."""
        return self.model_dump_json(indent=1, exclude_none=True) + "\n"

    def broken_file(self, folder: Path) -> str | None:
        """The name of the first weights file that `folder` lacks or has in another size; None where all are whole.

        Raises OSError: a file cannot be looked at.
        """
        for name, size in self.files.items():
            path = folder / Path(name).name  # a manifest names no file outside its folder
            if not path.is_file() or path.stat().st_size != size:
                return path.name
        return None


def read_quantization(folder: Path) -> Quantization | None:
    """The manifest in `folder`, None where there is none. Raises ValueError with one sentence when it is broken."""
    path = folder / QUANTIZATION_FILE
    if not path.exists():
        return None
    try:
        return Quantization.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ValueError(f"{QUANTIZATION_FILE}: {place}: {first['msg']}") from error

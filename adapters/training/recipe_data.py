"""What a recipe learns from."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from adapters.data.documents import DOCUMENT_NAMES, DocumentName


class Strict(BaseModel):
    """Part of a recipe: nothing in it may be misspelt, and nothing changes once it was read."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Hardness(Strict):
    """Shares of training values that are made harder than the cards print them (adapters/training/augment.py)."""

    hide: float = Field(default=0.0, ge=0, le=0.9, description="taken away, with their lines")
    split: float = Field(default=0.0, ge=0, le=0.9, description="broken over two lines")
    glue: float = Field(default=0.0, ge=0, le=0.9, description="joined to the label above")
    wreck: float = Field(default=0.0, ge=0, le=1, description="cards whose labels are read as a bad photo's")
    mix: float = Field(default=0.0, ge=0, le=1, description="of given examples: the top of one over another's bottom")
    drop: float = Field(default=0.0, ge=0, le=1, description="of given examples: lines far from a value left out")
    exchange: float = Field(default=0.0, ge=0, le=1, description="of given examples: with values of others")
    contact: float = Field(default=0.0, ge=0, le=1, description="of given examples: telephone and tax lines put around")
    recase: float = Field(default=0.0, ge=0, le=1, description="of given examples: with lines in small letters")
    misread: float = Field(default=0.0, ge=0, le=1, description="of given examples: letters and gaps lost")


class Source(Strict):
    """Labelled examples below the folder of --data: JSON Lines, or a folder of scans (docs/how-to/new-document.md)."""

    path: str
    range: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)]] | None = Field(
        default=None, description="the first example, and the one behind the last; default: all"
    )


class Data(Strict):
    """What it learns from. `text` samples are modelled OCR lines, `recorded` files hold real ones of rendered cards."""

    documents: tuple[DocumentName, ...] = DOCUMENT_NAMES
    text: int = Field(default=6000, ge=0, description="modelled samples, all documents together")
    hard: int = Field(default=0, ge=0, description="modelled samples of hard cards (adapters/data/hard)")
    varied: int = Field(default=0, ge=0, description="of such cards, each laid out and worded anew")
    recorded: tuple[str, ...] = Field(
        default=(), description="JSON Lines files (.jsonl or .jsonl.gz) beside the recipe"
    )
    every: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict,
        description="of this recorded file only every n-th sample (odd: documents and conditions come in turn)",
    )
    recorded_repeats: int = Field(default=1, ge=1, description="passes over the recorded samples")
    examples: tuple[Source, ...] = Field(default=(), description="of the recipe's own document")
    origin: str = Field(default="", description="whose examples they are, and their licence: said in the model card")
    most_lines: int = Field(
        default=100, ge=1, le=1000, description="of an example that are shown: as the front's OCR_FRONT_MAX_LINES"
    )
    passes: int = Field(default=1, ge=1, description="over the examples, each made harder in another way")
    held_out: tuple[Source, ...] = Field(
        default=(), description="examples that a run is judged by; default: every tenth of `examples`, not learnt from"
    )
    harder: Hardness = Hardness()
    validation: int = Field(
        default=120,
        ge=4,
        description="modelled samples of unseen people; as many hard and varied ones where it learns from such",
    )

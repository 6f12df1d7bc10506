"""A training recipe: everything that the weights depend on, in one YAML file."""

from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from adapters.data.documents import DOCUMENT_NAMES, DocumentName
from adapters.registry.manifest import FormName
from ocr_frontend.documents.spec import DocumentSpec, parse_spec

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Lora(_Strict):
    """The adapter's shape. `alpha / r` scales its product (Hu et al. 2021, arXiv 2106.09685)."""

    r: int = Field(default=16, ge=1, le=256)
    alpha: int = Field(default=32, ge=1)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    targets: tuple[str, ...] = ("q_proj", "v_proj")


class Hardness(_Strict):
    """Shares of training values that are made harder than the cards print them (adapters/training/harder.py)."""

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


class Source(_Strict):
    """Labelled examples below the folder of --data: JSON Lines, or a folder of scans (docs/how-to/new-document.md)."""

    path: str
    range: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)]] | None = Field(
        default=None, description="the first example, and the one behind the last; default: all"
    )


class Data(_Strict):
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


class Optimization(_Strict):
    """AdamW with a linear warm-up and a cosine decay to a tenth."""

    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    warmup_share: float = Field(default=0.03, ge=0, lt=1)
    batch: int = Field(default=8, ge=1, description="samples a step")
    clip: float = Field(default=1.0, gt=0, description="largest gradient norm")


class Qat(_Strict):
    """What `qat-lora` imitates of the base that will serve: linear layers alone, the vocabulary's product stays."""

    weights: Literal["int8", "int4"] = "int8"
    group: int | None = Field(
        default=None, ge=8, description="inputs that share a scale; default: 32 for int4, all for int8"
    )
    activations: Literal["int8", "none"] = Field(default="int8", description="per token, at run time")


class EarlyStopping(_Strict):
    """Stop when the share of right fields no longer grows; the best weights seen are the run's result."""

    patience: int = Field(default=4, ge=1, description="looks at the validation samples without a better share")


class Recipe(_Strict):
    """`python -m adapters train RECIPE.yaml`.

    `lora`: the base in bfloat16; `qlora`: in NF4 (Dettmers et al. 2023, arXiv 2305.14314); `qat-lora`: rounded as `qat`
    says.
    """

    name: Name
    base: str = "embedded"
    method: Literal["lora", "qlora", "qat-lora"] = "lora"
    seed: int = 20261121
    document: dict[str, Any] | None = Field(
        default=None, description="a document file of its own (or that file's name, beside the recipe)"
    )
    answer: Literal["lines", "object"] = Field(default="lines", description="line numbers, or a JSON object of values")
    no_thought: bool = Field(default=False, description="the base thinks (Qwen3): the answer begins behind no thought")
    lora: Lora = Lora()
    data: Data = Data()
    optimization: Optimization = Optimization()
    qat: Qat | None = Field(default=None, description="of method qat-lora")
    early_stopping: EarlyStopping | None = None
    gradient_checkpointing: bool | None = Field(
        default=None, description="compute layers twice instead of keeping them; default: for qlora on a GPU"
    )
    start_from: str | None = Field(default=None, description="a revision folder, beside the recipe's, to go on from")
    stop_after: int | None = Field(
        default=None, ge=1, description="end after so many steps of the plan; the rate falls as over the whole of it"
    )
    evaluate_every: int = Field(default=100, ge=1, description="steps between two looks at the validation samples")
    checkpoint_every: int = Field(default=100, ge=1, description="steps between two checkpoints")

    @model_validator(mode="after")
    def _qat_has_its_method(self) -> Self:
        if self.qat is not None and self.method != "qat-lora":
            raise ValueError(f"qat belongs to method qat-lora, not {self.method}")
        return self

    @model_validator(mode="after")
    def _examples_have_their_document(self) -> Self:
        if (self.document is None) != (not self.data.examples):
            raise ValueError("a document of its own and data.examples go together")
        return self

    @cached_property
    def spec(self) -> DocumentSpec | None:
        """The document of its own, None where the recipe learns built-in ones."""
        return None if self.document is None else parse_spec(self.document)


def form_name(recipe: Recipe) -> FormName:
    """The form of the base that a recipe's method trains against, as the manifest says it."""
    if recipe.method == "qat-lora":
        return (recipe.qat or Qat()).weights
    return "nf4" if recipe.method == "qlora" else "bf16"

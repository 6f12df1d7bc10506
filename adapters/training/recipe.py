"""A training recipe: everything that the weights depend on, in one YAML file."""

from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from adapters.registry.manifest import FormName
from adapters.training.recipe_data import Data, Strict
from ocr_frontend.documents.spec import DocumentSpec, parse_spec

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Lora(Strict):
    """The adapter's shape. `alpha / r` scales its product (Hu et al. 2021, arXiv 2106.09685)."""

    r: int = Field(default=16, ge=1, le=256)
    alpha: int = Field(default=32, ge=1)
    dropout: float = Field(default=0.05, ge=0, lt=1)
    targets: tuple[str, ...] = ("q_proj", "v_proj")


class Optimization(Strict):
    """AdamW with a linear warm-up and a cosine decay to a tenth."""

    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.0, ge=0)
    warmup_share: float = Field(default=0.03, ge=0, lt=1)
    batch: int = Field(default=8, ge=1, description="samples a step")
    clip: float = Field(default=1.0, gt=0, description="largest gradient norm")


class Qat(Strict):
    """What `qat-lora` imitates of the base that will serve: linear layers alone, the vocabulary's product stays."""

    weights: Literal["int8", "int4"] = "int8"
    group: int | None = Field(
        default=None, ge=8, description="inputs that share a scale; default: 32 for int4, all for int8"
    )
    activations: Literal["int8", "none"] = Field(default="int8", description="per token, at run time")


class EarlyStopping(Strict):
    """Stop when the share of right fields no longer grows; the best weights seen are the run's result."""

    patience: int = Field(default=4, ge=1, description="looks at the validation samples without a better share")


class Recipe(Strict):
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

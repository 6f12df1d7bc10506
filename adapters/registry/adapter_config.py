"""PEFT's adapter_config.json by a schema: what vLLM can serve, and one sentence for what it cannot."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.registry.canonical import read_json
from adapters.registry.digest import CONFIG_FILE
from adapters.registry.errors import Refused
from adapters.registry.limits import MAX_CONFIG

# PEFT features that change what the weights mean and that vLLM 0.32 does not serve (vllm/lora/peft_helper.py).
_UNSUPPORTED = (
    "use_dora",
    "lora_bias",
    "modules_to_save",
    "alora_invocation_tokens",
    "layer_replication",
    "use_bdlora",
    "use_qalora",
    "trainable_token_indices",
    "target_parameters",
    "fan_in_fan_out",
)
_PLAIN_INITIALISATIONS = frozenset({"gaussian", "eva", "orthogonal", "mica", "lora_ga"})


class AdapterConfig(BaseModel):
    """The keys that matter for serving; PEFT's others are kept and ignored."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    peft_type: str
    r: int
    lora_alpha: float
    target_modules: list[str] | str
    base_model_name_or_path: str | None = None
    bias: str = "none"
    use_rslora: bool = False
    rank_pattern: dict[str, int] = Field(default_factory=dict)
    alpha_pattern: dict[str, float] = Field(default_factory=dict)
    init_lora_weights: bool | str | None = True

    @property
    def largest_rank(self) -> int:
        """The largest rank that any module may have."""
        return max([self.r, *self.rank_pattern.values()])


def read_adapter_config(folder: Path, max_rank: int) -> AdapterConfig:
    """The configuration of the adapter in `folder`. Raises Refused."""
    raw = _read_json(folder / CONFIG_FILE)
    try:
        config = AdapterConfig.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refused("config-schema", f"{CONFIG_FILE}: {where}: {first['msg']}.") from error
    _check_kind(config, raw)
    _check_ranks(config, max_rank)
    return config


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise Refused("config-missing", f"The adapter has no {CONFIG_FILE}.")
    if path.stat().st_size > MAX_CONFIG:
        raise Refused("config-size", f"{CONFIG_FILE} is {path.stat().st_size} bytes, more than {MAX_CONFIG}.")
    try:
        raw = read_json(path, MAX_CONFIG)
    except ValueError as error:
        raise Refused("config-json", f"{error}.") from error
    if not isinstance(raw, dict):
        raise Refused("config-json", f"{CONFIG_FILE} holds a {type(raw).__name__}, not an object.")
    return raw


def _check_kind(config: AdapterConfig, raw: dict[str, Any]) -> None:
    if config.peft_type.upper() != "LORA":
        raise Refused("peft-type", f"peft_type is {config.peft_type!r}; only LORA can be served.")
    if config.bias != "none":
        raise Refused("bias", f"bias is {config.bias!r}; only 'none' can be served.")
    for feature in _UNSUPPORTED:
        if raw.get(feature):
            raise Refused("unsupported-feature", f"{CONFIG_FILE} uses {feature}, which cannot be served.")
    init = config.init_lora_weights
    if isinstance(init, str) and init.lower() not in _PLAIN_INITIALISATIONS:
        raise Refused("unsupported-feature", f"init_lora_weights={init!r} changes the base model's own weights.")
    if not config.target_modules:
        raise Refused("target-modules", "target_modules is empty.")


def _check_ranks(config: AdapterConfig, max_rank: int) -> None:
    for module, rank in {"r": config.r, **config.rank_pattern}.items():
        name = "r" if module == "r" else f"rank_pattern[{module!r}]"
        if not 1 <= rank <= max_rank:
            raise Refused("rank", f"{name} is {rank}; this server takes ranks from 1 to {max_rank}.")
    if config.lora_alpha <= 0:
        raise Refused("alpha", f"lora_alpha is {config.lora_alpha}, which is not positive.")

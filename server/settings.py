"""Every setting of the server: the only place that reads the environment (`SERVER_*`). Frozen, built once."""

import ipaddress
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from adapters.registry.home import own_registry
from server.engine_options import parse
from server.patterns import check_patterns, parse_list


class Settings(BaseSettings):
    """One field an option; a field's description is its `--help`. Zero means: derived from the machine."""

    model_config = SettingsConfigDict(env_prefix="SERVER_", frozen=True, extra="ignore")

    model: str = Field(default="", description="base model: a folder or a hub name")
    model_name: str = Field(default="", description="name under which the base is served (default: from --model)")
    base_aliases: str = Field(default="", description="further names of the base in adapters' configurations, by comma")
    adapters_dir: Path = Field(
        default_factory=own_registry, description="the adapter registry's folder; one's own is made with what ships"
    )
    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8000, ge=1, le=65535, description="port to listen on")
    dtype: str = Field(default="auto", description="type of weights and activations (auto, bfloat16, float32, …)")
    max_loras: int = Field(default=8, ge=1, le=256, description="adapters in one batch (slots)")
    max_lora_rank: int = Field(default=16, description="largest rank served (1, 8, 16, 32, 64, 128, 256, 320 or 512)")
    max_cpu_loras: int = Field(
        default=0, ge=0, description="adapters kept in memory (0: as many as its part of the memory holds)"
    )
    lora_memory_gib: float = Field(
        default=0,
        ge=0,
        description="memory for adapters at the start, GiB (0: a tenth of what is there); then it follows what is free",
    )
    max_model_len: int = Field(default=0, ge=0, description="longest prompt and answer in tokens (0: what fits)")
    max_num_seqs: int = Field(default=0, ge=0, description="requests in one batch (0: up to 32, on a GPU 128)")
    max_num_batched_tokens: int = Field(default=0, ge=0, description="prompt tokens computed together (0: what fits)")
    draft_tokens: int = Field(
        default=8,
        ge=0,
        le=32,
        description="guessed tokens verified in one step on a CPU (0: none); greedy requests only",
    )
    kv_cache_gib: float = Field(default=0, ge=0, description="CPU memory of the KV cache in GiB (0: from the memory)")
    memory_gib: float = Field(default=0, ge=0, description="memory to fit into, GiB (0: what machine or container has)")
    reserve_gib: float = Field(default=0, ge=0, description="memory left to others here, such as the OCR front, GiB")
    keys_file: Path | None = Field(default=None, description="file of hashed keys; without one: loopback only")
    audit_file: Path | None = Field(default=None, description="audit log of admin actions (default: beside the state)")
    import_root: Path | None = Field(default=None, description='folder from which {"path": …} may register revisions')
    remote_sources: str = Field(default="", description="allowed prefixes of remote sources, by comma (s3://models/,…)")
    on_demand: str = Field(
        default="", description="where unknown adapters are looked for, by comma: hf://team/{name},… (off)"
    )
    on_demand_gib: float = Field(default=10, gt=0, description="disk for adapters found on demand, GiB; oldest leave")
    max_upload_mib: int = Field(default=512, ge=1, description="largest revision, packed and unpacked, in MiB")
    fetches: int = Field(default=2, ge=1, description="revisions that are fetched at a time")
    fetch_queue: int = Field(default=8, ge=0, description="revisions that may wait for that; then 429")
    fetch_seconds: float = Field(
        default=600, gt=0, description="seconds that fetching a revision may take, waiting included"
    )
    max_body_mib: int = Field(default=4, ge=1, description="largest inference request in MiB")
    kv_cache_dtype: str = Field(default="auto", description="the KV cache's type (auto: the weights'; fp8: half)")
    max_sequences: int = Field(default=64, ge=1, description="answers in one request (prompts times n)")
    max_queue: int = Field(default=1000, ge=0, description="answers that may wait for their turn; then 503")
    admission_seconds: float = Field(
        default=60, gt=0, description="seconds that a request may wait for its turn and its adapter; then 503"
    )
    drain_seconds: float = Field(default=30, ge=0, description="seconds that running requests may take after SIGTERM")
    follow_seconds: float = Field(default=1, gt=0, description="seconds between two looks at the registry folder")
    split_min_requests: int = Field(default=20, ge=1, description="answers before a split can roll back by itself")
    split_max_failures: float = Field(default=0.1, ge=0, le=1, description="share of failed answers that ends a split")
    max_metric_labels: int = Field(default=100, ge=1, description="revisions with metrics of their own; then 'other'")
    allow_stock_cpu_lora: bool = Field(
        default=False, description="serve on a CPU with vLLM's own LoRA, which mixes adapters and base up (benchmarks)"
    )
    any_vllm: bool = Field(default=False, description="try a vLLM release that was not tested")
    engine_options: str = Field(
        default="", description="further options of vLLM, as on its command line (--tensor-parallel-size 2 …)"
    )
    tuned_profile: str = Field(default="", description="a file of make bench-tune, or `none` (default: this machine's)")
    log_level: str = Field(default="WARNING", description="vLLM's log level")
    log_format: Literal["text", "json"] = Field(default="text", description="json: one object a line, one a request")
    otlp_endpoint: str = Field(
        default="", pattern=r"^(https?://\S+)?$", description="OpenTelemetry collector of vLLM's traces (off)"
    )
    started: float = Field(default=0, description="start time in seconds since 1970; set by the launcher")

    @model_validator(mode="after")
    def _open_only_with_keys(self) -> Self:
        if self.keys_file is None and not is_loopback(self.host):
            raise ValueError(f"host {self.host} can be reached from elsewhere: name a keys_file, or use 127.0.0.1")
        return self

    @model_validator(mode="after")
    def _rank_is_supported(self) -> Self:
        if self.max_lora_rank not in SUPPORTED_RANKS:
            raise ValueError(f"max_lora_rank {self.max_lora_rank} is not one of {', '.join(map(str, SUPPORTED_RANKS))}")
        return self

    @model_validator(mode="after")
    def _patterns_stay_inside(self) -> Self:
        check_patterns(parse_list(self.on_demand), parse_list(self.remote_sources), self.import_root is not None)
        return self

    @model_validator(mode="after")
    def _options_are_allowed(self) -> Self:
        parse(self.engine_options)
        return self

    @property
    def names_registry(self) -> bool:
        """Whether somebody named the registry's folder: it is used as it is then."""
        return "adapters_dir" in self.model_fields_set

    @property
    def served_name(self) -> str:
        """The base's public name: as set, else the hub name, else the folder's own name."""
        if self.model_name:
            return self.model_name
        return Path(self.model).resolve().name if Path(self.model).is_dir() else self.model


# vllm.config.lora.MaxLoRARanks
SUPPORTED_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

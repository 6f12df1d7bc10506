"""Builds the running server out of vLLM's parts: the one place where everything meets."""

import random
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from prometheus_client import CollectorRegistry

from adapters.cgroup import available_memory
from adapters.registry.base_model import BaseModel, read_base
from adapters.registry.catalogue import Catalogue
from adapters.registry.limits import SizeLimits
from adapters.registry.proofs import Proofs
from adapters.registry.reader import Reader
from adapters.registry.store import Registry
from adapters.registry.validate import Rules
from server.admission.admission import Admission
from server.admission.limits import Limiter
from server.admission.queue import Queue
from server.auth.audit import Audit
from server.auth.keys_file import KeysFile
from server.base_folder import find_base_folder
from server.collect import ServerCollector
from server.context import Context
from server.control.admin import Admin
from server.control.checks import Checks
from server.control.engine import LoraEngine
from server.control.fetched import Fetched
from server.control.forecast import Forecast
from server.control.lanes import Lanes
from server.control.on_demand import OnDemand
from server.control.plane import Plane
from server.control.popularity import Popularity
from server.control.probe import Prober
from server.control.residency import Residency
from server.control.rhythm import Rhythm
from server.control.seats import Seats
from server.control.target import Resolver
from server.control.watch import SplitWatch
from server.fit import GIB
from server.gate import Gate
from server.metrics import LORA_LABELS, Metrics
from server.settings import Settings
from server.sources import fetch_by_name
from server.tiers import size_tiers


def build_gate(settings: Settings, metrics: Metrics) -> Gate:
    """Keys, limits and sizes. Raises ValueError, OSError for a keys file that cannot be read."""
    keys = KeysFile(settings.keys_file)
    # As far as it is known before the engine is there.
    capacity = max(2 * settings.max_num_seqs, settings.max_sequences)
    queue = Queue(capacity, settings.max_queue, settings.max_sequences, settings.admission_seconds)
    admission = Admission(Limiter(time.monotonic), queue, metrics, settings.log_format == "json")
    return Gate(keys, admission, metrics, settings.max_body_mib, settings.max_upload_mib)


def build_plane(settings: Settings, engine: LoraEngine, base: BaseModel, metrics: Metrics) -> Plane:
    """The control plane, with an empty catalogue until its first refresh."""
    aliases = frozenset(name.strip() for name in settings.base_aliases.split(",") if name.strip())
    reader = Reader(settings.adapters_dir, Rules(base, settings.max_lora_rank, aliases))
    size = base.adapter_bytes(settings.max_lora_rank)
    budget = int(settings.lora_memory_gib * GIB) or available_memory() // 10
    tiers = size_tiers(settings.max_loras, settings.max_cpu_loras, size, budget)
    lanes = Lanes(settings.fetches, settings.fetch_queue, settings.fetch_seconds)
    seats = Seats(settings.max_loras, time.monotonic)
    proofs = Proofs(settings.adapters_dir, base.identity, base.rounding)
    checks = Checks(reader, lanes, Prober(engine, seats), proofs)
    forecast = Forecast(Popularity(time.monotonic), Rhythm(time.time))
    residency = Residency(
        engine, tiers.room, seats, checks.verify, checks.prove, metrics.revisions, forecast
    )  # fmt: skip
    return Plane(
        registry=Registry(settings.adapters_dir, can_serve=reader.can_serve),
        reader=reader,
        residency=residency,
        resolver=Resolver(settings.served_name, random.random),
        metrics=metrics,
        watch=SplitWatch(settings.split_min_requests, settings.split_max_failures),
        checks=checks,
        catalogue=Catalogue(),
        lanes=lanes,
        tiers=tiers,
        admission_seconds=settings.admission_seconds,
    )


def build_context(
    settings: Settings,
    engine: LoraEngine,
    client: Any,
    gate: Gate,
    registry: CollectorRegistry,
    facts: Mapping[str, str] = MappingProxyType({}),
) -> Context:
    """Everything that the routes need. `facts`: of vllm/start.py.

    Raises OSError, ValueError when the base cannot be described."""
    folder = find_base_folder(settings.model)
    if folder is None:
        raise ValueError(f"the files of {settings.model} are not on this machine")
    base = read_base(folder, settings.model, settings.served_name)
    metrics = gate.metrics
    plane = build_plane(settings, engine, base, metrics)
    audit = Audit(settings.audit_file or settings.adapters_dir / "audit.jsonl")
    admin = Admin(plane, audit, settings.served_name)
    kv_cache = kv_cache_bytes(client.vllm_config)
    collector = ServerCollector(
        metrics, plane.residency, lambda: plane.catalogue, plane.tiers, kv_cache, settings.adapters_dir, registry
    )
    registry.register(collector)
    queue = gate.admission.queue
    scheduler = getattr(client.vllm_config, "scheduler_config", None)
    # Twice a batch: what vLLM takes into its next step waits in the engine already.
    queue.capacity = max(queue.capacity, 2 * int(getattr(scheduler, "max_num_seqs", 0)))
    metrics.begin(None, None)
    lora = {**facts, "form": base.form}
    metrics.lora.labels(*(lora.get(name, "") for name in LORA_LABELS)).set(1)
    return Context(
        settings=settings,
        plane=plane,
        admin=admin,
        on_demand=build_on_demand(settings, admin),
        collector=collector,
        gate=gate,
        metrics=metrics,
        engine_client=client,
        base=settings.served_name,
        max_model_len=client.model_config.max_model_len,
        lora=lora,
    )


def build_on_demand(settings: Settings, admin: Admin) -> OnDemand | None:
    """None where no pattern says where to look."""
    if not settings.on_demand:
        return None
    limits = SizeLimits(bytes=settings.max_upload_mib << 20)
    fetched = Fetched(settings.adapters_dir, int(settings.on_demand_gib * GIB))
    return OnDemand(admin, lambda name, staging: fetch_by_name(name, staging, settings, limits), fetched)


def kv_cache_bytes(config: Any) -> int:
    """The KV cache's size as configured, or as vLLM measured it, bytes; 0 where a model's cache is not of one kind."""
    cache = config.cache_config
    if configured := getattr(cache, "kv_cache_memory_bytes", None):
        return int(configured)
    model = config.model_config
    if model.use_mla or model.is_hybrid or cache.cache_dtype != "auto":
        return 0
    layers, heads = model.get_total_num_hidden_layers(), model.get_total_num_kv_heads()
    # A key and a value a token, layer and head; each of the engines' blocks holds `block_size` tokens.
    per_block = 2 * int(cache.block_size) * layers * heads * model.get_head_size() * model.dtype.itemsize
    return int((cache.num_gpu_blocks or 0) * per_block)

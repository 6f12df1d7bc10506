"""The capacity model: cards a minute in, replicas, cores and memory out. Pure."""

import math
from dataclasses import dataclass

from deploy.capacity.inputs import Inputs

RATES = (10, 1_000, 100_000)  # cards a minute
# Above this share of what a machine can do, queues grow faster than traffic.
FILLED = 0.6
FRONT_CORES, SERVER_CORES = 2, 4
# The API process and the drivers of a GPU server; the model needs none.
GPU_HOST_CORES = 4


@dataclass(frozen=True)
class Fleet:
    """What one rate takes. `gpus`: 0 on CPUs."""

    rate: int
    fronts: int
    servers: int
    cores: int
    gpus: int
    memory_gb: float


def on_cpu(inputs: Inputs, rate: int) -> Fleet:
    """Fronts of two cores, servers of four."""
    fronts = _replicas(rate, inputs.ocr.value, FRONT_CORES)
    # What waits behind one another is slow, what is batched is not: a fleet is planned with full batches.
    per_card = inputs.llm_alone.value if rate <= RATES[0] else inputs.llm_batch.value
    servers = _replicas(rate, per_card, SERVER_CORES)
    memory = fronts * inputs.front_memory.value + servers * inputs.server_memory.value
    return Fleet(rate, fronts, servers, fronts * FRONT_CORES + servers * SERVER_CORES, 0, memory)


def on_gpu(inputs: Inputs, rate: int) -> Fleet:
    """The OCR stays on the fronts' CPUs; the model has GPUs."""
    fronts = _replicas(rate, inputs.ocr.value, FRONT_CORES)
    servers = max(1, math.ceil(rate / 60 / inputs.gpu_cards.value / FILLED))
    cores = fronts * FRONT_CORES + servers * GPU_HOST_CORES
    memory = fronts * inputs.front_memory.value + servers * inputs.gpu_host_memory.value
    return Fleet(rate, fronts, servers, cores, servers, memory)


def _replicas(rate: int, core_seconds: float, cores: int) -> int:
    """Of `cores` each, for `rate` cards a minute of so many core-seconds."""
    return max(1, math.ceil(rate / 60 * core_seconds / cores / FILLED))

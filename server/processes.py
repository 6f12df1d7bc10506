"""What our processes take of the machine, read when somebody asks: memory and CPU by process, memory of each GPU."""

import os
from collections.abc import Iterator
from typing import Any

import psutil
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from server.labels import OTHER
from server.vllm.release import nvidia

# vLLM names its processes `VLLM::EngineCore` and `VLLM::Worker…`.
_ROLES = {"EngineCore": "engine", "Worker": "worker"}


def process_metrics() -> Iterator[Metric]:
    """By role: `api` (this process), `engine`, `worker`, `other`; and by GPU."""
    memory = GaugeMetricFamily(
        "cni_server_process_resident_memory_bytes", "Resident memory of every process", labels=["process"]
    )
    cpu = CounterMetricFamily("cni_server_process_cpu_seconds", "CPU time of every process", labels=["process"])
    totals: dict[str, tuple[int, float]] = {}
    own = psutil.Process(os.getpid())
    for process in [own, *own.children(recursive=True)]:
        try:
            role = "api" if process.pid == own.pid else _role(process.name())
            times, size = process.cpu_times(), process.memory_info().rss
        except psutil.Error:
            continue
        before = totals.get(role, (0, 0.0))
        totals[role] = (before[0] + size, before[1] + times.user + times.system)
    for role, (size, seconds) in sorted(totals.items()):
        memory.add_metric([role], size)
        cpu.add_metric([role], seconds)
    yield memory
    yield cpu
    yield _gpu_memory()


def _role(name: str) -> str:
    return next((role for part, role in _ROLES.items() if part in name), OTHER)


def _gpu_memory() -> Metric:
    """As the driver sees it, other programs included; no series without an NVIDIA driver."""
    family = GaugeMetricFamily("cni_server_gpu_memory_bytes", "Memory of each GPU", labels=["gpu", "state"])
    try:
        driver = nvidia()
    except Exception:
        # The library raises its own kinds, and another one where no driver is installed.
        return family
    for index in range(driver.nvmlDeviceGetCount()):
        held: Any = driver.nvmlDeviceGetMemoryInfo(driver.nvmlDeviceGetHandleByIndex(index))
        family.add_metric([str(index), "used"], held.used)
        family.add_metric([str(index), "free"], held.free)
    return family

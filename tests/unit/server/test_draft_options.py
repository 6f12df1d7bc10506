"""Drafts in a launch: off and on, on a CPU alone, never beside another speculation."""

import json
from pathlib import Path

import pytest

from server.drafts.options import SPLIT
from server.launch import plan
from server.machine import Machine
from server.settings import Settings
from server.tuned import Tuned


def _machine(cpu_only: bool = True) -> Machine:
    return Machine("/python", (0, 1), 16 << 30, cpu_only, None, None, frozenset())


def _settings(tokens: int) -> Settings:
    return Settings(model="/model", draft_tokens=tokens)


def test_they_are_verified_by_vllm_and_made_by_our_scheduler() -> None:
    made = plan(_settings(6), _machine(), True)
    options = dict(zip(made.command, made.command[1:], strict=False))
    assert json.loads(options["--speculative-config"])["num_speculative_tokens"] == 6
    assert options["--scheduler-cls"] == "server.drafts.scheduler.DraftScheduler"
    assert made.environment[SPLIT] == "0"
    assert {choice.name: choice.value for choice in made.choices}["drafts"] == "up to 6 tokens"


def test_a_cpu_drafts_unless_told_otherwise() -> None:
    assert "--scheduler-cls" in plan(Settings(model="/model"), _machine(), True).command
    assert "--scheduler-cls" not in plan(Settings(model="/model"), _machine(cpu_only=False), True).command


@pytest.mark.parametrize(
    ("batch", "requests", "options", "tokens"),
    [
        (2048, 32, "", 8),
        (256, 32, "", 7),  # a context of 256 tokens
        (2048, 1024, "", 1),
        (2048, 2048, "", 0),
        (256, 32, "--max-num-batched-tokens=2048", 8),
        (0, 32, "", 8),  # vLLM chooses
    ],
)
def test_no_more_is_drafted_than_a_batch_holds(batch: int, requests: int, options: str, tokens: int) -> None:
    sizes = {"max_num_batched_tokens": batch, "max_num_seqs": requests, "engine_options": options}
    made = plan(Settings.model_validate({"model": "/model", **sizes}), _machine(), True)
    words = dict(zip(made.command, made.command[1:], strict=False))
    drafted = json.loads(words["--speculative-config"])["num_speculative_tokens"] if tokens else 0
    assert drafted == tokens and ("--scheduler-cls" in words) == bool(tokens)


@pytest.mark.parametrize(
    ("tokens", "cpu_only", "tuned"),
    [(0, True, None), (8, False, None), (8, True, Tuned(Path("/t"), {"--speculative-config": "{}"}))],
)
def test_otherwise_none_are_made(tokens: int, cpu_only: bool, tuned: Tuned | None) -> None:
    made = plan(_settings(tokens), _machine(cpu_only), True, tuned=tuned)
    assert "--scheduler-cls" not in made.command
    # With and without drafts, alone and in a crowd a CPU sums up a context in one order.
    assert made.environment.get(SPLIT) == ("0" if cpu_only else None)


@pytest.mark.parametrize("options", ["--spec-method ngram", "--speculative-config={}", "--scheduler-cls x.Y"])
def test_an_operators_own_speculation_stays_alone(options: str) -> None:
    made = plan(Settings(model="/model", draft_tokens=8, engine_options=options), _machine(), True)
    assert not any("server.drafts" in word for word in made.command)


def test_what_you_exported_outranks_it() -> None:
    assert plan(_settings(8), _machine(), True, {SPLIT: "1"}).environment[SPLIT] == "1"

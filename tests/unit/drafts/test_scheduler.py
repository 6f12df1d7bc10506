"""vLLM's scheduler with drafts over a model that is a hash: answers are those without drafts, whatever happens to them.

The verification is written out here as vLLM's runner does it (grammar's mask, the likeliest token, the agreeing
beginning of a draft); with the real one it is tested in tests/e2e/drafts."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from server.drafts.options import SCHEDULER
from server.drafts.sampling import PROPOSER
from tests.support.tiny_models import VOCABULARY, write_base

pytest.importorskip("vllm")

BLOCK, END = 32, 1
LINES = ("NOM/SURNAME", "NGO MBARGA", "SEXE/SEX", "F", "PROFESSION", "PASTEUR")
KEYS = ("nom_surname", "sex", "profession")
OBJECT = r"\{" + ", ?".join(f'"{key}": ?(?:null|"(?:NGO MBARGA|F|PASTEUR|M)")' for key in KEYS) + r"\}"
NUMBERS = r"\[(?:null|[0-5]),(?:null|[0-5]),(?:null|[0-5])\]"


@pytest.fixture(autouse=True)
def _no_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_PLUGINS", "")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("drafts") / "base")


class Engine:
    """A scheduler and the model. `counted`: steps, tokens drafted and accepted, requests that lost their place."""

    def __init__(self, base: Path, tokens: int, blocks: int) -> None:
        from vllm.engine.arg_utils import EngineArgs
        from vllm.v1.core.sched.scheduler import Scheduler
        from vllm.v1.kv_cache_interface import FullAttentionSpec, KVCacheConfig, KVCacheGroupSpec
        from vllm.v1.structured_output import StructuredOutputManager

        drafts: dict[str, Any] = {
            "speculative_config": {"method": "custom_class", "model": PROPOSER, "num_speculative_tokens": tokens},
            "scheduler_cls": SCHEDULER,
        }
        import torch

        config = EngineArgs(
            str(base), dtype="bfloat16", max_model_len=512, max_num_seqs=8, max_num_batched_tokens=96,
            block_size=BLOCK, enable_lora=True, max_loras=4, async_scheduling=False, enable_prefix_caching=False,
            **(drafts if tokens else {}),
        ).create_engine_config()  # fmt: skip
        config.cache_config.num_gpu_blocks = blocks
        spec = FullAttentionSpec(block_size=BLOCK, num_kv_heads=1, head_size=32, dtype=torch.bfloat16)
        cache = KVCacheConfig(blocks, [], [KVCacheGroupSpec(["layer"], spec)])
        manager = StructuredOutputManager(config)
        made = config.scheduler_config.get_scheduler_cls() if tokens else Scheduler
        self.scheduler: Any = made(config, cache, manager, BLOCK, hash_block_size=BLOCK, log_stats=True)
        self.manager, self.words = manager, manager.tokenizer
        self.answers: dict[str, list[int]] = {}
        self.counted = dict.fromkeys(("steps", "drafted", "accepted", "displaced"), 0)

    def add(self, name: str, number: int, form: str | None, **more: Any) -> None:
        """Request `number`: of adapter number % 4 (0: the base), its own prompt."""
        from vllm.lora.request import LoRARequest
        from vllm.sampling_params import SamplingParams, StructuredOutputsParams
        from vllm.v1.request import Request

        held = StructuredOutputsParams(regex=form) if form else None
        if held:
            held._backend = "xgrammar"
        sampling = SamplingParams(temperature=0, max_tokens=70 if form else 30, structured_outputs=held, **more)
        sampling.update_from_generation_config({}, eos_token_id=END)
        page = "".join(f"{line} {index}\n" for index, line in enumerate(LINES)) if number % 2 else "\n".join(LINES)
        prompt = self.words.encode(f"card {number} of: {', '.join(KEYS)}\n{page}\nanswer:")
        lora = LoRARequest(f"a{number % 4}", number % 4, "/nowhere") if number % 4 else None
        request = Request(name, prompt, sampling, None, lora_request=lora)
        if held:
            self.manager.grammar_init(request)
        self.scheduler.add_request(request)

    def step(self) -> None:
        from vllm.v1.outputs import ModelRunnerOutput

        planned = self.scheduler.schedule()
        names = list(planned.num_scheduled_tokens)
        if not names:
            return
        self.counted["steps"] += 1
        masks = self._masks(planned)
        sampled = [self._sample(name, planned.scheduled_spec_decode_tokens.get(name, []), masks) for name in names]
        self.counted["displaced"] += len(planned.preempted_req_ids or ())
        output = ModelRunnerOutput(names, {name: index for index, name in enumerate(names)}, sampled)
        for outputs in self.scheduler.update_from_output(planned, output).values():
            for one in outputs.outputs:
                self.answers.setdefault(one.request_id, []).extend(one.new_token_ids)

    def _masks(self, planned: Any) -> dict[str, np.ndarray[Any, Any]]:
        """[1 + drafted tokens, vocabulary] of each request with a grammar: whether a token is allowed."""
        made = self.scheduler.get_grammar_bitmask(planned)
        masks, row = {}, 0
        for name in made.structured_output_request_ids if made else ():
            rows = 1 + len(planned.scheduled_spec_decode_tokens.get(name, ()))
            words = made.grammar_bitmask[row : row + rows].view(np.uint8)
            masks[name] = np.unpackbits(words, axis=1, bitorder="little")[:, :VOCABULARY].astype(bool)
            row += rows
        return masks

    def _sample(self, name: str, draft: list[int], masks: dict[str, np.ndarray[Any, Any]]) -> list[int]:
        request = self.scheduler.requests[name]
        if request.num_computed_tokens < request.num_tokens:
            return []  # a part of a prompt
        tokens, sampled = list(request.all_token_ids), []
        self.counted["drafted"] += len(draft)
        for place in range(len(draft) + 1):
            scores = _scores(tokens, request.lora_request.lora_int_id if request.lora_request else 0)
            if name in masks:
                scores = np.where(masks[name][place], scores, -1.0)
            sampled.append(int(scores.argmax()))
            if place == len(draft) or draft[place] != sampled[-1]:
                break
            tokens.append(sampled[-1])
        self.counted["accepted"] += len(sampled) - 1
        return sampled


def _scores(tokens: list[int], adapter: int) -> np.ndarray[Any, Any]:
    """What the model makes of everything before; ordinary text is likelier, so that answers without a form go on."""
    seed = zlib.crc32(np.array([adapter, *tokens], dtype=np.int64).tobytes())
    scores = np.random.default_rng(seed).random(VOCABULARY)
    scores[:2] *= 0.9
    return scores


def _form(number: int) -> str | None:
    return (None, OBJECT, NUMBERS, OBJECT)[number // 2 % 4]


def _alone(base: Path, count: int) -> list[list[int]]:
    engine, answers = Engine(base, 0, 64), []
    for number in range(count):
        engine.add(str(number), number, _form(number))
        while engine.scheduler.has_unfinished_requests():
            engine.step()
        answers.append(engine.answers[str(number)])
    assert engine.counted["drafted"] == 0
    return answers


@pytest.mark.slow
def test_answers_are_those_without_drafts(base: Path) -> None:
    count = 24
    wanted = _alone(base, count)
    engine = Engine(base, 8, 14)  # too few blocks for eight requests: some lose their place
    for number in range(count):
        engine.add(str(number), number, _form(number))
        engine.add(f"cancelled {number}", number + 1, _form(number))
    while engine.scheduler.has_unfinished_requests():
        engine.step()
        if engine.counted["steps"] % 7 == 0:
            _cancel(engine)
    assert [engine.answers[str(number)] for number in range(count)] == wanted
    assert engine.counted["displaced"] > 0 and engine.counted["accepted"] > 0
    assert engine.scheduler._drafters == {}, "what was kept for requests goes with them"


def test_one_request_takes_fewer_steps(base: Path) -> None:
    plain, drafting = Engine(base, 0, 64), Engine(base, 8, 64)
    for number in (2, 3, 10, 11):
        for engine in (plain, drafting):
            engine.add(str(number), number, OBJECT)
            while engine.scheduler.has_unfinished_requests():
                engine.step()
    assert drafting.answers == plain.answers
    assert drafting.counted["steps"] * 2 < plain.counted["steps"]


def test_drafts_go_on_beside_a_request_that_samples_and_has_none_itself(base: Path) -> None:
    engine = Engine(base, 8, 64)
    requests, beside = engine.scheduler.requests, 0
    for number in (2, 3, 10, 11):  # what is guessed differs by process; some of it always comes
        engine.add(str(number), number, OBJECT)
        while requests and not any(one.spec_token_ids for one in engine.scheduler.running):
            engine.step()  # its grammar is made on a thread
        engine.add(f"sampled {number}", 1, None, presence_penalty=0.5)
        while requests:
            engine.step()
            both = len(engine.scheduler.running) == 2
            assert not any(one.spec_token_ids for name, one in requests.items() if name.startswith("sampled"))
            beside += both and any(one.spec_token_ids for one in engine.scheduler.running)
    assert beside


def _cancel(engine: Engine) -> None:
    from vllm.v1.request import RequestStatus

    names = [name for name in engine.scheduler.requests if name.startswith("cancelled")]
    engine.scheduler.finish_requests(names[:2], RequestStatus.FINISHED_ABORTED)


@pytest.mark.parametrize(
    ("changes", "drafted"),
    [
        ({}, True),
        ({"temperature": 0.5}, False),
        ({"presence_penalty": 0.5}, False),
        ({"repetition_penalty": 1.1}, False),
        ({"logit_bias": {3: 1.0}}, False),
        ({"min_tokens": 3}, False),
        ({"allowed_token_ids": [3, 4]}, False),
    ],
)
def test_only_plain_greedy_requests_are_drafted_for(changes: dict[str, Any], drafted: bool) -> None:
    from vllm.sampling_params import SamplingParams

    from server.drafts.scheduler import _is_greedy

    assert _is_greedy(SamplingParams(**{"temperature": 0, **changes})) is drafted


def test_parameters_that_speculation_refuses_are_let_in() -> None:
    from types import SimpleNamespace

    from vllm.exceptions import VLLMValidationError
    from vllm.sampling_params import SamplingParams

    from server.drafts import sampling

    stock = SamplingParams._validate_spec_decode
    try:
        sampling.allow()
        sampling.allow()
        SamplingParams(logit_bias={3: 1.0})._validate_spec_decode(SimpleNamespace(model=PROPOSER))
        with pytest.raises(VLLMValidationError, match="logit_bias"):
            SamplingParams(logit_bias={3: 1.0})._validate_spec_decode(SimpleNamespace(model="ngram"))
    finally:
        SamplingParams._validate_spec_decode = stock


def test_the_runner_builds_the_processors_of_a_launch_without_speculation() -> None:
    from types import SimpleNamespace

    from server.drafts.sampling import _building

    built = _building(lambda config, *more, **named: (config, more, named))
    launched = SimpleNamespace(speculative_config="ours", seed=3)
    config, more, named = built(launched, "cpu", is_pooling_model=False)
    assert (config.speculative_config, config.seed, more, named) == (None, 3, ("cpu",), {"is_pooling_model": False})
    assert launched.speculative_config == "ours", "all else still sees it"


def test_what_is_replaced_keeps_its_signature_and_fits_the_contract_again() -> None:
    from vllm.sampling_params import SamplingParams
    from vllm.v1.sample import rejection_sampler
    from vllm.v1.worker import gpu_model_runner

    from server.cpu_lora.patching import is_ours
    from server.drafts import sampling
    from server.vllm.contract import PARTS, broken

    places = (
        (SamplingParams, "_validate_spec_decode"),
        (gpu_model_runner, "build_logitsprocs"),
        (rejection_sampler, "expand_batch_to_tokens"),
    )
    stock = [getattr(owner, name) for owner, name in places]
    try:
        for mend in (sampling.allow, sampling.keep_processors, sampling.mend_temperatures):
            mend()
        assert all(is_ours(getattr(owner, name)) for owner, name in places)
        assert not is_ours(sampling.spread)
        assert not broken(PARTS["cpu"])
    finally:
        for (owner, name), function in zip(places, stock, strict=True):
            setattr(owner, name, function)

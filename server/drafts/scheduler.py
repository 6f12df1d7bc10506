"""vLLM's scheduler with drafts: it is where prompts, answers, grammars and the load are known together.

After each step every greedy request gets its draft as vLLM's speculation would give it (`Request.spec_token_ids`);
vLLM schedules, masks by grammar and verifies them. A draft can change which step a token comes in, not the token.
"""

from __future__ import annotations

from typing import Any

from vllm.sampling_params import SamplingParams
from vllm.v1.core.sched.output import SchedulerOutput
from vllm.v1.core.sched.scheduler import Scheduler
from vllm.v1.outputs import DraftTokenIds, ModelRunnerOutput
from vllm.v1.request import Request, RequestStatus

from server.drafts.budget import Budget
from server.drafts.memory import Memories
from server.drafts.page import read_page
from server.drafts.request import Drafter, Words
from server.drafts.walk import Matcher

_LONGEST_PROMPT = 8192
"""Tokens of a prompt that is looked at; a longer one gets no drafts."""


class DraftScheduler(Scheduler):  # type: ignore[misc]
    """Named by `--scheduler-cls`."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._budget = Budget(self.num_spec_tokens)
        self._memories = Memories()
        self._drafters: dict[str, Drafter | None] = {}
        self._words: Words | None = None

    def update_from_output(self, scheduler_output: SchedulerOutput, model_runner_output: ModelRunnerOutput) -> Any:
        """As vLLM's; then drafts for who goes on."""
        outputs = super().update_from_output(scheduler_output, model_runner_output)
        for request in self.running:
            if request.request_id in scheduler_output.num_scheduled_tokens and not request.is_prefill_chunk:
                tokens = self._draft(request)
                request.spec_token_ids = self.structured_output_manager.validate_tokens(request, tokens)
        return outputs

    def update_draft_token_ids(self, draft_token_ids: DraftTokenIds) -> None:
        """The runner's are empty (server/drafts/proposer.py); ours stand already."""

    def _draft(self, request: Request) -> list[int]:
        if request.is_finished() or not request.num_output_tokens:
            return []
        if request.request_id not in self._drafters:
            self._drafters[request.request_id] = self._drafter(request)
        drafter = self._drafters[request.request_id]
        if drafter is None:
            return []
        room = min(request.max_tokens - request.num_output_tokens, self.max_model_len - request.num_tokens) - 1
        matcher = _matcher(request)
        return drafter.propose(request.output_token_ids, matcher, len(self.running), room)

    def _drafter(self, request: Request) -> Drafter | None:
        """None for requests whose answers are not the likeliest tokens alone."""
        words, prompt = self._tokenizer(), request.prompt_token_ids
        if words is None or prompt is None or len(prompt) > _LONGEST_PROMPT or not _is_greedy(request.sampling_params):
            return None
        if request.use_structured_output and self.structured_output_manager.reasoner_cls is not None:
            return None
        page = read_page(words.decode(prompt))
        adapter = request.lora_request.lora_name if request.lora_request else ""
        return Drafter(page, self._memories.of((adapter, page.head)), words, self._budget)

    def _tokenizer(self) -> Words | None:
        tokenizer = getattr(self.structured_output_manager, "tokenizer", None)
        if self._words is None and tokenizer is not None:
            self._words = Words(
                lambda text: tokenizer.encode(text, add_special_tokens=False),
                lambda ids: tokenizer.decode(list(ids), skip_special_tokens=True),
            )
        return self._words

    def _free_request(self, request: Request, *arguments: Any, **named: Any) -> Any:
        drafter = self._drafters.pop(request.request_id, None)
        if drafter is not None and request.status == RequestStatus.FINISHED_STOPPED:
            drafter.finish(request.output_token_ids)
        return super()._free_request(request, *arguments, **named)


def _matcher(request: Request) -> Matcher | None:
    """A copy of where the request's grammar stands; None without one, or where it is not xgrammar's."""
    if not request.use_structured_output or request.structured_output_request is None:
        return None
    matcher = getattr(request.structured_output_request.grammar, "matcher", None)
    return None if matcher is None or not hasattr(matcher, "fork") else matcher.fork()


def _is_greedy(sampling: SamplingParams | None) -> bool:
    """Whether every token is the likeliest one, with nothing that depends on what was said before."""
    if sampling is None or sampling.temperature != 0:
        return False
    penalties = (sampling.presence_penalty, sampling.frequency_penalty, sampling.repetition_penalty - 1)
    more = (sampling.logit_bias, sampling.bad_words, sampling.allowed_token_ids, sampling.min_tokens, sampling.min_p)
    return not any(penalties) and not any(more) and sampling.prompt_logprobs is None

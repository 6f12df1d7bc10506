"""An engine client that measures what passes through it; everything else goes to the real one.

It stands where vLLM's serving classes expect theirs. It is also where a generation surely ends, whether it was
answered, broken off or refused: what the request used is settled here.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from vllm.exceptions import VLLMClientError, VLLMValidationError
from vllm.sampling_params import RequestOutputKind

from server.admission.account import Account, Tally, current
from server.metrics import Metrics
from server.vllm.engine_errors import plain_sentence


class MeteredEngine:
    """Times and tokens by adapter go to the metrics, tokens by request to its account."""

    def __init__(self, client: Any, metrics: Metrics) -> None:
        self._client = client
        self._metrics = metrics

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def generate(self, prompt: Any, sampling_params: Any, request_id: str, **more: Any) -> AsyncGenerator[Any, None]:
        """As the client's (vllm.engine.protocol.EngineClient)."""
        # Now, in the request's own task: who iterates may be another one.
        return self._metered(current.get() or Account(), prompt, sampling_params, request_id, more)

    async def _metered(
        self, account: Account, prompt: Any, sampling_params: Any, request_id: str, more: dict[str, Any]
    ) -> AsyncGenerator[Any, None]:
        tally = account.begin(_length(prompt))
        inner = self._client.generate(prompt, sampling_params, request_id, **more)
        whole = sampling_params.output_kind is RequestOutputKind.FINAL_ONLY
        last: Any = None
        try:
            while True:
                try:
                    output = await (self._only(inner, tally, request_id) if whole else anext(inner))
                except StopAsyncIteration:
                    break
                last = output
                _count(tally, output, sampling_params.output_kind)
                account.failed |= any(one.finish_reason == "error" for one in output.outputs)
                yield output
            tally.done = last is not None
        except (VLLMClientError, ValueError) as error:
            # Refused before it ran. Its text may hold what the caller sent.
            account.client_fault = True
            raise VLLMValidationError(plain_sentence(error)) from None
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except Exception:
            account.failed = True
            raise
        finally:
            try:
                await inner.aclose()
            finally:
                account.end()
        if last is not None and last.metrics is not None:
            lora = more.get("lora_request")
            self._finish(lora.lora_name if lora else "", tally, last.metrics)

    async def _only(self, inner: AsyncGenerator[Any, None], tally: Tally, request_id: str) -> Any:
        """The one output of an answer that is not streamed. Who breaks it off pays for what was written so far."""
        step = asyncio.ensure_future(anext(inner))
        try:
            return await asyncio.shield(step)
        except asyncio.CancelledError:
            tally.generated = self._so_far(request_id)
            step.cancel()
            await asyncio.wait([step])
            raise

    def _so_far(self, request_id: str) -> int:
        """Tokens that the engine has sent for a request that is still running."""
        processor = self._client.output_processor
        states = [processor.request_states.get(name) for name in processor.external_req_ids.get(request_id, ())]
        return sum(state.detokenizer.num_output_tokens() for state in states if state is not None and state.detokenizer)

    def _finish(self, name: str, tally: Tally, stats: Any) -> None:
        """`stats`: vllm.v1.metrics.stats.RequestStateStats; its times are the engine's own, streamed or not."""
        adapter, _, revision = name.partition("@")
        metrics, who = self._metrics, self._metrics.who(adapter, revision)
        metrics.tokens.labels(*who, "in").inc(tally.prompt)
        metrics.tokens.labels(*who, "out").inc(tally.generated)
        metrics.first_token.labels(*who).observe(stats.first_token_latency)
        metrics.queue.labels(*who).observe(max(0.0, stats.scheduled_ts - stats.queued_ts))
        if stats.num_generation_tokens > 1:
            between = (stats.last_token_ts - stats.first_token_ts) / (stats.num_generation_tokens - 1)
            metrics.per_token.labels(*who).observe(between)
            tally.pace = between


def _length(prompt: Any) -> int:
    """Tokens of a prompt as vLLM's renderer made it; 0 where the first output will say."""
    ids = prompt.get("prompt_token_ids") if isinstance(prompt, dict) else None
    return len(ids or ())


def _count(tally: Tally, output: Any, kind: Any) -> None:
    """Deltas add up; a whole answer has all of its texts in the last output."""
    written = sum(len(one.token_ids) for one in output.outputs)
    tally.generated = tally.generated + written if kind is RequestOutputKind.DELTA else written
    if tally.prompt:
        tally.cached = output.num_cached_tokens or tally.cached

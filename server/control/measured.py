"""An engine client that measures what passes through it, by adapter; everything else goes to the real one."""

from collections.abc import AsyncGenerator
from typing import Any

from server.metrics import Metrics


class MeasuredEngine:
    """Stands where vLLM's serving classes expect their engine client."""

    def __init__(self, client: Any, metrics: Metrics) -> None:
        self._client = client
        self._metrics = metrics

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def generate(self, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        """As the client's, with times and tokens noted when the answer is complete."""
        lora = kwargs.get("lora_request")
        adapter, _, revision = lora.lora_name.partition("@") if lora else ("", "", "")
        last: Any = None
        async for output in self._client.generate(*args, **kwargs):
            last = output
            yield output
        if last is not None and last.metrics is not None:
            self._finish(self._metrics.who(adapter, revision), len(last.prompt_token_ids or ()), last.metrics)

    def _finish(self, who: tuple[str, str], prompt_tokens: int, stats: Any) -> None:
        """`stats`: vllm.v1.metrics.stats.RequestStateStats; its times are the engine's own, streamed or not."""
        metrics, generated = self._metrics, stats.num_generation_tokens
        metrics.tokens.labels(*who, "in").inc(prompt_tokens)
        metrics.tokens.labels(*who, "out").inc(generated)
        metrics.first_token.labels(*who).observe(stats.first_token_latency)
        metrics.queue.labels(*who).observe(max(0.0, stats.scheduled_ts - stats.queued_ts))
        if generated > 1:
            metrics.per_token.labels(*who).observe((stats.last_token_ts - stats.first_token_ts) / (generated - 1))

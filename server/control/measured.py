"""An engine client that measures what passes through it, by adapter; everything else goes to the real one."""

import time
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
        who = self._metrics.who(adapter, revision)
        started = time.perf_counter()
        first: float | None = None
        generated = 0
        last: Any = None
        async for output in self._client.generate(*args, **kwargs):
            if first is None:
                first = time.perf_counter()
                self._metrics.first_token.labels(*who).observe(first - started)
            last = output
            # Streams carry what is new, other answers everything so far.
            new = sum(len(completion.token_ids) for completion in output.outputs)
            generated = generated + new if _is_delta(args, kwargs) else new
            yield output
        if last is not None and first is not None:
            self._finish(who, last, generated, time.perf_counter() - first)

    def _finish(self, who: tuple[str, str], last: Any, generated: int, decoding: float) -> None:
        metrics = self._metrics
        metrics.tokens.labels(*who, "in").inc(len(last.prompt_token_ids or ()))
        metrics.tokens.labels(*who, "out").inc(generated)
        if generated > 1:
            metrics.per_token.labels(*who).observe(decoding / (generated - 1))
        stats = last.metrics
        # Both are 0 when vLLM keeps no statistics.
        if stats is not None and stats.queued_ts and stats.scheduled_ts:
            metrics.queue.labels(*who).observe(max(0.0, stats.scheduled_ts - stats.queued_ts))


def _is_delta(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    parameters = kwargs.get("sampling_params") or (args[1] if len(args) > 1 else None)
    kind = getattr(parameters, "output_kind", None)
    return getattr(kind, "name", "") == "DELTA"

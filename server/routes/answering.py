"""What happens around a generated answer: the revision is chosen and held, afterwards it is counted and judged."""

import asyncio
import logging
import time
from typing import Any

from fastapi import Request

from server.context import Context
from server.errors import Clash, Forbidden
from server.exchange import Exchange, exchange_of

log = logging.getLogger("server.answers")
PROMPT_HEADER = "x-prompt-sha256"
# Kinds of failure that speak against a revision.
_FAULTS = frozenset({"server", "stream"})


async def prepare(context: Context, request: Request, body: Any) -> None:
    """Point `body` at one exact revision and hold it until the exchange ends. Raises ServerError."""
    exchange = exchange_of(request)

    async def on_close(ended: Exchange) -> None:
        finish(context, ended)

    exchange.on_close = on_close
    exchange.tokens = lambda: _tokens(request)
    name = (body.model or "").partition("@")[0]
    if name in context.plane.catalogue.adapters and not exchange.key.may_use(name):
        raise Forbidden(f"This key may not use the adapter {name!r}.")
    began = time.perf_counter()
    target, exchange.lease = await context.plane.acquire(body.model, body.user)
    exchange.adapter = target.adapter
    exchange.revision = target.revision.revision if target.revision else None
    _count_in(context, exchange, time.perf_counter() - began)
    body.model = target.model
    if target.revision is not None:
        expected = request.headers.get(PROMPT_HEADER)
        if expected is not None and expected != target.revision.prompt_sha256:
            raise Clash(f"{target.model} takes another prompt: read /v1/models again.", code="prompt_changed")
        # An adapter is trained for one answer; sampling is for whoever asks for it.
        if "temperature" not in body.model_fields_set or body.temperature is None:
            body.temperature = 0.0


def _count_in(context: Context, exchange: Exchange, waited: float) -> None:
    who = context.metrics.who(exchange.adapter, exchange.revision)
    context.metrics.requests.labels(*who).inc()
    context.metrics.running.labels(*who).inc()
    context.metrics.revisions.admission.labels(*who).observe(waited)
    exchange.counted = True


def _tokens(request: Request) -> int:
    """Tokens in and out, as vLLM's handlers note them when an answer is complete."""
    metadata = getattr(request.state, "request_metadata", None)
    usage = getattr(metadata, "final_usage_info", None)
    return int(usage.total_tokens) if usage is not None else 0


def finish(context: Context, exchange: Exchange) -> None:
    """Count an answer, and end a split that fails too often."""
    metrics, kind = context.metrics, _kind(exchange)
    who = metrics.who(exchange.adapter, exchange.revision) if exchange.counted else ("none", "")
    if exchange.counted:
        metrics.running.labels(*who).dec()
        metrics.duration.labels(*who).observe(time.perf_counter() - exchange.started)
    if kind is not None:
        metrics.errors.labels(*who, kind).inc()
    if exchange.adapter and exchange.revision and kind in {None, *_FAULTS}:
        judge(context, exchange.adapter, exchange.revision, kind in _FAULTS)


def judge(context: Context, name: str, revision: str, failed: bool, again: bool = False) -> None:
    """Note whether an answer was good (`again`: judged anew); too many bad ones of a new revision end the split."""
    adapter = context.plane.catalogue.adapters.get(name)
    share = context.plane.watch.record(adapter, revision, failed, again) if adapter else None
    if share is None:
        return
    context.plane.watch.forget(name)
    log.warning("%s@%s fails %.0f %% of its answers: the split is rolled back", name, revision, share * 100)
    judged = adapter.weights if adapter else None
    task = asyncio.create_task(context.admin.rollback("server", name, "automatic", judged, revision))
    task.add_done_callback(_log_failure)


def _log_failure(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("the automatic rollback failed: %s", task.exception())


def _kind(exchange: Exchange) -> str | None:
    """One of metrics.KINDS, None for a good answer."""
    if exchange.broken:
        return "stream"
    if exchange.gone or (not exchange.complete and exchange.status < 400):
        return "disconnected"
    if exchange.status >= 500:
        return "server"
    return "client" if exchange.status >= 400 else None

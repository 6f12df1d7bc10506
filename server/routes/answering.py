"""What happens around a generated answer: the revision is chosen and held, afterwards it is counted and judged."""

import time
from typing import Any

from fastapi import Request

from server.admission.demand import Demand, demand_of
from server.answers import Given
from server.context import Context
from server.control.target import Target
from server.errors import BadRequest, Clash, Forbidden
from server.exchange import Exchange, exchange_of
from server.routes.judging import judge
from server.routes.waiting import before

PROMPT_HEADER = "x-prompt-sha256"
# By which a router or a caller says what will be asked soon: names of adapters, by comma.
NEXT_HEADER, _MOST_HINTS = "x-next-adapters", 8
# Kinds of failure that speak against a revision.
_FAULTS = frozenset({"server", "stream"})
# Fields that every caller sends; with others an engine may fail over what only this caller asked for.
_PLAIN = frozenset(
    {
        *("model", "prompt", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "seed", "n"),
        *("stream", "stream_options", "stop", "user", "logprobs", "top_logprobs", "response_format", "cache_salt"),
        *("structured_outputs", "request_id", "session_id"),
    }
)
_MADE_BY_CALLERS = ("grammar", "structural_tag")


async def prepare(context: Context, request: Request, body: Any) -> None:
    """Admit the request, point `body` at one exact revision and hold it until the exchange ends. Raises ServerError."""
    exchange = exchange_of(request)

    async def on_close(ended: Exchange) -> None:
        finish(context, ended)

    exchange.on_close = on_close
    exchange.plain = is_plain(body)
    exchange.account.once = bool(getattr(body, "use_beam_search", False))
    name = (body.model or "").partition("@")[0]
    if name in context.plane.catalogue.adapters and not exchange.key.may_use(name):
        raise Forbidden(f"This key may not use the adapter {name!r}.")
    hinted = [one.strip() for one in request.headers.get(NEXT_HEADER, "").split(",")[:_MOST_HINTS]]
    context.plane.ahead.expect([one for one in hinted if exchange.key.may_use(one.partition("@")[0])], "hint")
    began = time.perf_counter()
    demand = demand_of(body, context.max_model_len)
    target = await before(context.settings.admission_seconds, request, _acquire(context, exchange, body, demand))
    exchange.adapter, exchange.model = target.adapter, target.model
    exchange.revision = target.revision.revision if target.revision else None
    _count_in(context, exchange, time.perf_counter() - began)
    body.model = target.model
    if target.revision is not None:
        expected = request.headers.get(PROMPT_HEADER)
        if expected is not None and expected != target.revision.prompt_sha256:
            raise Clash(f"{target.model} takes another prompt: read /v1/models again.", code="prompt_changed")
        _be_greedy(body)


async def _acquire(context: Context, exchange: Exchange, body: Any, demand: Demand) -> Target:
    """Into the exchange as soon as it is held, so that its end gives it back whatever happens next."""
    name = (body.model or "").partition("@")[0]
    if context.on_demand is not None and name and name != context.base and exchange.key.may_use(name):
        await context.on_demand.find(name)
        context.on_demand.used(name)
    # A model that does not exist must not wait for its turn to be told so.
    context.plane.resolver.resolve(context.plane.catalogue, body.model, body.user)
    if context.gate.admission.queue.busy and body.model:
        context.plane.ahead.expect([body.model], "queued")
    exchange.admitted = await context.gate.admission.admit(exchange.key, demand)
    target, exchange.lease = await context.plane.acquire(body.model, body.user)
    if target.adapter is not None:
        context.plane.ahead.asked(hash((exchange.key.id, body.user)), target.adapter)
    return target


def _be_greedy(body: Any) -> None:
    """An adapter is trained for one answer; sampling is for whoever asks for it."""
    if "temperature" in body.model_fields_set and body.temperature is not None:
        return
    if (getattr(body, "n", None) or 1) > 1 and not getattr(body, "use_beam_search", False):
        raise BadRequest("An adapter answers greedily: send a temperature above 0 to get several answers.", param="n")
    body.temperature = 0.0


def is_plain(body: Any) -> bool:
    """Whether a failure of this request can only be the server's or the revision's, not the caller's making."""
    outputs = getattr(body, "structured_outputs", None)
    steered = outputs is not None and any(getattr(outputs, kind, None) for kind in _MADE_BY_CALLERS)
    return not steered and body.model_fields_set <= _PLAIN


def _count_in(context: Context, exchange: Exchange, waited: float) -> None:
    exchange.who = context.metrics.begin_request(exchange.adapter, exchange.revision)
    context.metrics.revisions.admission.labels(*exchange.who).observe(waited)


def finish(context: Context, exchange: Exchange) -> None:
    """Count an answer, and end a split that fails too often."""
    metrics, kind = context.metrics, _kind(exchange)
    who = exchange.who or ("none", "")
    if kind is not None:
        metrics.errors.labels(*who, kind).inc()
    if exchange.who is not None:
        metrics.duration.labels(*who).observe(time.perf_counter() - exchange.started)
        metrics.end_request(who)
    if not (exchange.adapter and exchange.revision):
        return
    if kind is None and exchange.request_id:
        context.answers.add(exchange.request_id, Given(exchange.key.id, exchange.adapter, exchange.revision))
    if kind is None or (kind in _FAULTS and exchange.plain):
        judge(context, exchange.adapter, exchange.revision, kind in _FAULTS, pace=exchange.account.pace)


def _kind(exchange: Exchange) -> str | None:
    """One of metrics.KINDS, None for a good answer."""
    if exchange.account.client_fault:
        return "client"
    if exchange.broken:
        return "stream"
    if exchange.gone or (not exchange.complete and exchange.status < 400):
        return "disconnected"
    if exchange.status >= 500:
        return "server"
    return "client" if exchange.status >= 400 else None

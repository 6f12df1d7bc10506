"""The front tells whether an answer was valid: what the server itself cannot see."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from server.context import context_of
from server.errors import Forbidden, NotHere
from server.exchange import exchange_of
from server.routes.judging import judge

router = APIRouter()


class Feedback(BaseModel):
    """`model`: the exact revision, as the answer named it. `request_id`: the answer's `X-Request-Id`, or its `id`. No
    text of the answer."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(max_length=100)
    request_id: str | None = Field(default=None, max_length=160)
    outcome: Literal["valid", "invalid_json"]


@router.post("/v1/feedback", status_code=204)
async def feedback(request: Request, body: Feedback) -> Response:
    """Counts for the metrics. Against a split's new revision counts what is said once of an answer that this server
    gave to this key; a key for feedback alone (a router's) may speak of every key's answers."""
    context = context_of(request)
    name, _, revision = body.model.partition("@")
    adapter = context.plane.catalogue.adapters.get(name)
    if adapter is None or revision not in adapter.revisions:
        raise NotHere("There is no such revision.", param="model", code="model_not_found")
    key = exchange_of(request).key
    if not key.may_use(name):
        raise Forbidden(f"This key may not use the adapter {name!r}.")
    context.metrics.reported.labels(*context.metrics.who(name, revision), body.outcome).inc()
    whose = key.id if key.may("inference") else None
    known = context.answers.judge(_bare(body.request_id), whose, name, revision)
    if body.outcome == "invalid_json" and known:
        judge(context, name, revision, True, again=True)
    return Response(status_code=204)


def _bare(request_id: str | None) -> str:
    """Of an answer's `id`, the request's."""
    return (request_id or "").removeprefix("cmpl-").removeprefix("chatcmpl-")

"""The front tells whether an answer was valid: what the server itself cannot see."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from server.context import context_of
from server.errors import Forbidden, NotHere
from server.exchange import exchange_of
from server.routes.answering import judge

router = APIRouter()


class Feedback(BaseModel):
    """`model`: the exact revision, as the answer named it. No text of the answer."""

    model_config = ConfigDict(extra="forbid")

    model: str = Field(max_length=100)
    outcome: Literal["valid", "invalid_json"]


@router.post("/v1/feedback", status_code=204)
async def feedback(request: Request, body: Feedback) -> Response:
    """Counts for the metrics; an invalid answer counts against a split's new revision."""
    context = context_of(request)
    name, _, revision = body.model.partition("@")
    adapter = context.plane.catalogue.adapters.get(name)
    if adapter is None or revision not in adapter.revisions:
        raise NotHere("There is no such revision.", param="model", code="model_not_found")
    if not exchange_of(request).key.may_use(name):
        raise Forbidden(f"This key may not use the adapter {name!r}.")
    context.metrics.reported.labels(*context.metrics.who(name, revision), body.outcome).inc()
    if body.outcome == "invalid_json":
        judge(context, name, revision, True, again=True)
    return Response(status_code=204)

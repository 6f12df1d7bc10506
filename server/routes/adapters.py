"""The admin routes over adapters (API.md)."""

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from starlette.datastructures import UploadFile

from adapters.registry.archive import unpack
from adapters.registry.contents import Taken
from adapters.registry.limits import SizeLimits
from adapters.registry.state import Share
from server.adoption import Fetch, adopting
from server.context import Context, context_of
from server.errors import BadRequest, Forbidden, NotHere
from server.exchange import exchange_of
from server.routes.shown import show_adapter
from server.sources import fetch

router = APIRouter()


class CanaryRoute(BaseModel):
    """A new revision, in steps (percent; 100 comes last by itself): see control/canary.py."""

    model_config = ConfigDict(extra="forbid")

    revision: str = Field(min_length=1, max_length=64)
    steps: list[Annotated[float, Field(gt=0, le=100)]] = Field(default=[1, 10, 50, 100], min_length=1, max_length=16)
    answers: int = Field(default=50, ge=2, le=100_000)
    worse: float = Field(default=0.02, ge=0, le=1)
    slower: float = Field(default=1.25, ge=1, le=100)

    @field_validator("steps")
    @classmethod
    def _grow(cls, steps: list[float]) -> list[float]:
        if steps != sorted(set(steps)):
            raise ValueError("each step must be larger than the one before")
        return steps if steps[-1] == 100 else [*steps, 100]


class Route(BaseModel):
    """Exactly one of the three."""

    model_config = ConfigDict(extra="forbid")

    revision: str | None = Field(default=None, min_length=1, max_length=64)
    split: dict[str, Share] | None = Field(default=None, min_length=1, max_length=16)
    canary: CanaryRoute | None = None


class Source(BaseModel):
    """A folder under the import root, or an allowed remote source."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(min_length=1, max_length=1000)
    contract: str | None = Field(default=None, max_length=256 << 10)


class Pin(BaseModel):
    """Which revision; by default what the alias means."""

    model_config = ConfigDict(extra="forbid")

    revision: str | None = Field(default=None, min_length=1, max_length=64)


@router.get("/v1/adapters")
async def list_adapters(request: Request) -> Response:
    """Every adapter that the key may see."""
    context, key = context_of(request), exchange_of(request).key
    shown = [show_adapter(context, a) for a in context.plane.catalogue.adapters.values() if key.may_use(a.name)]
    return JSONResponse({"object": "list", "data": shown})


@router.get("/v1/adapters/{name}")
async def get_adapter(request: Request, name: str) -> Response:
    """One adapter."""
    context, _ = _permitted(request, name)
    adapter = context.plane.catalogue.adapters.get(name)
    if adapter is None:
        raise NotHere(f"There is no adapter {name[:64]!r}.")
    return _tagged(context, name, show_adapter(context, adapter))


@router.post("/v1/adapters/{name}/revisions")
async def register(request: Request, name: str) -> Response:
    """An upload (multipart field `file`) or a JSON source. 201; 200 when this content is registered already.

    With a contract file (YAML, field `contract` of either) a PEFT folder is adopted: docs/how-to/own-adapter.md.
    """
    context, who = _permitted(request, name)
    limits = SizeLimits(bytes=context.settings.max_upload_mib << 20)
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind == "multipart/form-data":
        form = await request.form(max_files=2, max_fields=4)
        try:
            upload = form.get("file")
            if not isinstance(upload, UploadFile):
                raise BadRequest("The form has no file field 'file'.", param="file")
            given = form.get("contract")
            contract = await given.read() if isinstance(given, UploadFile) else given and given.encode()
            result = await context.admin.register(
                who, name, _adopted(context, name, _unpacker(upload, limits), contract or None)
            )
        finally:
            await form.close()
    elif kind == "application/json":
        source = await _source(request)
        from_there = _adopted(
            context,
            name,
            lambda staging: fetch(source.path, staging, context.settings, limits),
            source.contract.encode() if source.contract else None,
        )
        result = await context.admin.register(who, name, from_there)
    else:
        raise BadRequest("Send multipart/form-data with a field 'file', or application/json with a 'path'.")
    return JSONResponse(result, 201 if result["new"] else 200)


@router.put("/v1/adapters/{name}")
async def route(request: Request, name: str, body: Route) -> Response:
    """Switch, split, or begin a canary. With `If-Match`, only from the state that a GET's `ETag` named."""
    context, who = _permitted(request, name)
    if sum(said is not None for said in (body.revision, body.split, body.canary)) != 1:
        raise BadRequest("Say one of 'revision', 'split' and 'canary'.")
    if body.canary is not None:
        wanted = {**body.canary.model_dump(exclude={"revision"}), "steps": tuple(body.canary.steps)}
        begun = await context.admin.canaries.begin(who, name, body.canary.revision, wanted, _seen(request))
        return _tagged(context, name, begun)
    weights = body.split if body.split is not None else {str(body.revision): 1.0}
    return _tagged(context, name, await context.admin.route(who, name, weights, _seen(request)))


@router.post("/v1/adapters/{name}/rollback")
async def rollback(request: Request, name: str) -> Response:
    """Back to what served before. `If-Match` as for a switch."""
    context, who = _permitted(request, name)
    return _tagged(context, name, await context.admin.rollback(who, name, seen=_seen(request)))


@router.put("/v1/adapters/{name}/pin")
async def pin(request: Request, name: str, body: Pin | None = None) -> Response:
    """Keep resident."""
    context, who = _permitted(request, name)
    return JSONResponse(await context.admin.pin(who, name, body.revision if body else None, True))


@router.delete("/v1/adapters/{name}/pin")
async def unpin(request: Request, name: str, revision: str | None = None) -> Response:
    """No longer; `?revision=` for one, else all."""
    context, who = _permitted(request, name)
    return JSONResponse(await context.admin.pin(who, name, revision, False))


@router.delete("/v1/adapters/{name}/revisions/{revision}")
async def delete(request: Request, name: str, revision: str) -> Response:
    """Refused while an alias names it."""
    context, who = _permitted(request, name)
    return JSONResponse(await context.admin.remove(who, name, revision))


@router.delete("/v1/adapters/{name}")
async def retire(request: Request, name: str) -> Response:
    """The adapter with all of its revisions. Refused while requests use one."""
    context, who = _permitted(request, name)
    return JSONResponse(await context.admin.retire(who, name))


def _tagged(context: Context, name: str, shown: dict[str, Any]) -> JSONResponse:
    adapter = context.plane.catalogue.adapters.get(name)
    return JSONResponse(shown, headers={"ETag": f'"{adapter.tag}"'} if adapter else {})


def _seen(request: Request) -> frozenset[str] | None:
    """The tags of `If-Match`; None where there is no such header, or it takes anything (`*`)."""
    header = request.headers.get("if-match", "*")
    tags = frozenset(tag.strip().removeprefix("W/").strip('"') for tag in header.split(","))
    return None if "*" in tags else tags


def _permitted(request: Request, name: str) -> tuple[Context, str]:
    key = exchange_of(request).key
    if not key.may_use(name):
        if request.method != "GET":
            context_of(request).admin.audit.write(key.id, "denied", {"adapter": name[:64]}, request.method)
        raise Forbidden(f"This key may not manage the adapter {name[:64]!r}.")
    return context_of(request), key.id


def _unpacker(upload: UploadFile, limits: SizeLimits) -> Fetch:
    def unpack_upload(staging: Path) -> Taken:
        target = staging / "content"
        target.mkdir()
        return unpack(upload.file, target, limits)

    return unpack_upload


def _adopted(context: Context, name: str, bring: Fetch, contract: bytes | None) -> Fetch:
    if contract is None:
        return bring
    return adopting(bring, name, contract, context.settings, context.plane.reader.rules.base)


async def _source(request: Request) -> Source:
    try:
        return Source.model_validate_json(await request.body())
    except ValidationError as error:
        raise BadRequest('The body is not {"path": …}.', param="path") from error

"""The server without vLLM: our routes, gate and control plane over an engine that answers by its adapter's name."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from prometheus_client import CollectorRegistry
from pydantic import BaseModel

from adapters.registry.errors import Refused
from server import background
from server.admission.account import Tally
from server.context import Context, context_of
from server.control.engine import Answer, Slots
from server.exchange import exchange_of
from server.gate import GateMiddleware
from server.handlers import install_handlers
from server.logs import RequestIds
from server.metrics import Metrics
from server.routes.answering import prepare
from server.routes.install import install_routes
from server.settings import Settings
from server.wiring import build_context, build_gate
from tests.support.tiny_models import write_base

generating = APIRouter()


class FakeEngine:
    """Knows what is loaded. Its base always answers alike, its adapters each in their own way."""

    def __init__(self) -> None:
        self.loaded: dict[str, Path] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.fail: set[str] = set()
        self.same_as_base = False
        self.load_faults: list[Exception] = []
        self.pinned: set[str] = set()
        self.stream_fault = ""
        self.texts: dict[str, str] = {}
        self.paces: dict[str, float] = {}
        self.asked = 0
        self.bodies: list[Body] = []

    async def load(self, name: str, folder: Path) -> None:
        await asyncio.sleep(0)
        if name in self.loaded:
            raise Refused("engine", f"{name} is loaded twice.")
        if self.load_faults:
            raise self.load_faults.pop(0)
        try:
            (folder / "adapter_model.safetensors").read_bytes()
        except OSError as error:
            raise Refused("engine-busy", "The engine could not load the adapter.") from error
        self.loaded[name] = folder

    async def unload(self, name: str) -> None:
        del self.loaded[name]
        await asyncio.sleep(0)

    async def pin(self, name: str) -> None:
        if name in self.loaded:
            self.pinned.add(name)

    async def unpin(self, name: str) -> None:
        self.pinned.discard(name)

    async def slots(self) -> Slots:
        return Slots(frozenset(list(self.loaded)[-8:]), hits=3, misses=1)

    async def ask(self, name: str | None, prompt: str, max_tokens: int) -> Answer:
        self.asked += 1
        return Answer(prompt.upper(), {1: -0.5 if name is None or self.same_as_base else -0.25})


class Body(BaseModel):
    model: str | None = None
    user: str | None = None
    prompt: Any = ""
    n: int | None = None
    max_tokens: int | None = 16
    temperature: float | None = None
    stream: bool = False
    logit_bias: dict[str, float] | None = None


@generating.post("/v1/completions")
async def completions(body: Body, raw_request: Request) -> Any:
    """Stands for vLLM's handler: asks the engine for what `prepare` made of the request."""
    context = context_of(raw_request)
    await prepare(context, raw_request, body)
    engine: FakeEngine = context.plane.checks.prober.engine  # type: ignore[assignment]
    assert body.model == context.base or body.model in engine.loaded
    engine.bodies.append(body)
    account = exchange_of(raw_request).account
    tally = account.begin(60)
    try:
        return await _answer(engine, body, raw_request, tally)
    finally:
        account.end()


async def _answer(engine: FakeEngine, body: Body, raw_request: Request, tally: Tally) -> Any:
    if not body.stream and await _gone_before(engine.gate, raw_request):
        return None
    await engine.gate.wait()
    if body.model in engine.fail:
        return JSONResponse({"error": {"message": "no", "type": "x", "param": None, "code": "x"}}, 500)
    if body.stream:

        async def stream() -> AsyncIterator[str]:
            for index in range(3):
                if index == 1 and engine.stream_fault == "raises":
                    raise RuntimeError("in the middle")
                if index == 1 and engine.stream_fault == "tells":  # as vLLM does
                    yield 'data: {"error": {"message": "Internal server error"}}\n\n'
                    break
                await engine.gate.wait()
                assert "@" not in str(body.model) or body.model in engine.loaded
                yield f"data: {body.model}\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream")
    tally.generated, tally.done, tally.pace = 40, True, engine.paces.get(str(body.model))
    return JSONResponse(
        {
            "id": f"cmpl-{raw_request.headers['x-request-id']}",
            "model": body.model,
            "temperature": body.temperature,
            "choices": [{"text": engine.texts.get(body.model, "x")}],
        }
    )


async def _gone_before(gate: asyncio.Event, request: Request) -> bool:
    """As vLLM's `with_cancellation`: whether the caller goes away before the answer is there."""
    waiting, listening = asyncio.create_task(gate.wait()), asyncio.create_task(request.receive())
    done, pending = await asyncio.wait([waiting, listening], return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return waiting not in done


class Server:
    """The application, its parts, and a client."""

    def __init__(self, app: FastAPI, context: Context, engine: FakeEngine) -> None:
        self.app, self.context, self.engine = app, context, engine
        self.transport = httpx.ASGITransport(app)

    def client(self, key: str | None = None) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.AsyncClient(transport=self.transport, base_url="http://127.0.0.1", headers=headers, timeout=30)

    async def ask(self, model: str, **more: Any) -> httpx.Response:
        async with self.client(more.pop("key", None)) as client:
            return await client.post("/v1/completions", json={"model": model, "prompt": "p", **more})


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("models") / "tiny-base")


Start = Callable[..., Any]


@pytest.fixture
def start(tmp_path: Path, base_folder: Path) -> Start:
    """`async with start(**settings) as server`; the registry is `tmp_path/registry`."""
    root = tmp_path / "registry"
    root.mkdir(exist_ok=True)

    @asynccontextmanager
    async def run(same_as_base: bool = False, wait_until_ready: bool = True, **changes: Any) -> AsyncIterator[Server]:
        values = {
            "model": str(base_folder),
            "adapters_dir": root,
            "max_cpu_loras": 8,
            "follow_seconds": 0.05,
            **changes,
        }
        settings = Settings(**values)
        registry, engine = CollectorRegistry(), FakeEngine()
        engine.same_as_base = same_as_base
        gate = build_gate(settings, Metrics(registry, settings.max_metric_labels))
        client = SimpleNamespace(
            errored=False,
            model_config=SimpleNamespace(max_model_len=1024),
            vllm_config=SimpleNamespace(cache_config=SimpleNamespace(kv_cache_memory_bytes=1 << 30)),
        )
        app = FastAPI()
        install_routes(app, generating)
        install_handlers(app)
        app.add_middleware(GateMiddleware, gate=gate)
        app.add_middleware(RequestIds, lines=False)
        app.state.cni = build_context(settings, engine, client, gate, registry)
        app.state.cni_registry = registry
        starting = asyncio.create_task(background.start(app.state.cni))
        if wait_until_ready:
            await starting
        following = asyncio.create_task(background.follow(app.state.cni, registry))
        try:
            yield Server(app, app.state.cni, engine)
        finally:
            following.cancel()
            starting.cancel()

    return run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "registry").mkdir(exist_ok=True)
    return tmp_path / "registry"

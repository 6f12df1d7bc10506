"""The endpoint plugin: hangs our routes and our gate into vLLM's application."""

import asyncio
import atexit
import logging
import os
import signal
from typing import Any

from fastapi import FastAPI
from vllm.v1.metrics.prometheus import get_prometheus_registry

from server import background, scratch
from server.gate import GateMiddleware
from server.handlers import install_handlers
from server.logs import RequestIds
from server.metrics import Metrics
from server.routes.install import close_others, install_routes
from server.settings import Settings
from server.vllm import inference
from server.vllm.contract import ContractError
from server.vllm.engine_client import MeteredEngine
from server.vllm.handlers import install_engine_handlers
from server.vllm.lora_engine import VllmEngine
from server.vllm.start import check_engine
from server.wiring import build_context, build_gate

log = logging.getLogger("server")


class CniRoutes:
    """vLLM calls `attach_router` while it builds the application and `init_state` once the engine is there."""

    name = "cni_routes"
    required_tasks = None

    def __init__(self) -> None:
        self._app: FastAPI | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def attach_router(self, app: FastAPI) -> None:
        """Our routes instead of vLLM's."""
        install_routes(app, inference.router)
        self._app = app

    async def init_state(self, engine_client: Any, state: Any, args: Any) -> None:
        """Build what the routes need; handlers and gate come last, so that they are in front of vLLM's own."""
        assert self._app is not None
        atexit.register(scratch.release)  # the engine's processes have ended by then
        settings = Settings()
        registry = get_prometheus_registry()
        try:
            gate = build_gate(settings, Metrics(registry, settings.max_metric_labels))
            engine = VllmEngine(engine_client, state.openai_serving_models)
            facts = await check_engine(engine_client, settings)
            context = build_context(settings, engine, engine_client, gate, registry, facts)
        except (OSError, ValueError, ContractError) as error:
            # Without its gate this server must not run: vLLM's start is stopped as by Ctrl-C.
            log.error("cannot start: %s", error)
            os.kill(os.getpid(), signal.SIGINT)
            raise
        self._measure(state, engine_client, context.metrics)
        close_others(self._app)
        install_handlers(self._app)
        install_engine_handlers(self._app)
        # vLLM built the stack already, for SageMaker. Nothing has run yet: it is built anew at the first call.
        self._app.middleware_stack = None
        self._app.add_middleware(GateMiddleware, gate=gate)
        self._app.add_middleware(RequestIds, lines=settings.log_format == "json")
        state.cni, state.cni_registry = context, registry
        self._tasks = [
            asyncio.create_task(self._run(background.start(context))),
            asyncio.create_task(background.follow(context, registry)),
            asyncio.create_task(background.drain_on_sigterm(context, state)),
        ]

    def _measure(self, state: Any, client: Any, metrics: Metrics) -> None:
        metered = MeteredEngine(client, metrics)
        for name in ("openai_serving_completion", "openai_serving_chat"):
            serving = getattr(state, name, None)
            if serving is not None:
                serving.engine_client = metered

    async def _run(self, start: Any) -> None:
        try:
            await start
        except Exception:
            log.exception("the adapters could not be prepared; this server is not ready")

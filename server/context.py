"""What the routes work with, built once by the plugin and kept in the application's state."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from server.answers import Answers
from server.collect import ServerCollector
from server.control.admin import Admin
from server.control.on_demand import OnDemand
from server.control.plane import Plane
from server.gate import Gate
from server.metrics import Metrics
from server.settings import Settings


@dataclass
class Context:
    """`ready` turns true once what aliases mean is loaded. `engine_client` is vLLM's.

    `lora`: what serves LoRA in the engine, by vllm/start.py, and the form of the base's weights.
    `steps`: what judging of answers has begun and is not through with.
    """

    settings: Settings
    plane: Plane
    admin: Admin
    gate: Gate
    metrics: Metrics
    collector: ServerCollector
    engine_client: Any
    base: str
    max_model_len: int
    lora: Mapping[str, str] = field(default_factory=dict)
    answers: Answers = field(default_factory=Answers)
    on_demand: OnDemand | None = None
    ready: bool = False
    steps: set[asyncio.Task[Any]] = field(default_factory=set)


def context_of(request: Request) -> Context:
    """The server's context."""
    found: Context = request.app.state.cni
    return found

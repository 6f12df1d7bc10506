"""What runs beside the requests: the start, following the registry, the drain."""

import asyncio
import logging
import os
import signal
import time
from typing import Any

from prometheus_client import CollectorRegistry

from adapters.cgroup import available_memory
from adapters.registry.errors import Busy
from server.context import Context
from server.vllm import lora_info

log = logging.getLogger("server")
_STOP_POLL = 0.02
# Between two tries to read a registry that cannot be read at the start, in seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 2.0
# How often every file is looked at, for what somebody overwrote in place.
_WHOLE_LOOK_SECONDS = 30
# How often the adapters' memory is fitted to what is free, and what this time of day asks for is loaded.
_AHEAD_SECONDS = 15


async def start(context: Context) -> None:
    """Read the registry, load what aliases mean, then be ready. A bad adapter is logged and never stops the start."""
    plane = context.plane
    try:
        await plane.lanes.registry(plane.registry.clean)
    except (OSError, Busy) as error:
        # Mounted read-only, for example: it serves, and admin actions will fail.
        log.warning("the registry cannot be written: %s", getattr(error, "strerror", None) or error)
    # Without a first reading every adapter would be unknown: this server is not ready until there is one.
    pause = _FIRST_PAUSE
    while not await plane.refresh():
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    plane.log_refusals()
    plane.begin_metrics()
    _keep_labels(context)
    await plane.preload(context.settings.max_loras)
    context.ready = True
    adapters = plane.catalogue.adapters.values()
    serving = ", ".join(f"{a.name} → {' + '.join(sorted(a.weights))}" for a in list(adapters)[:10] if a.weights)
    log.info("base %s, %d adapters%s", context.base, len(adapters), f": {serving}" if serving else "")
    if context.gate.open:
        log.warning("no keys are configured: this server listens on loopback only, and whoever reaches it may do all")
    seconds = f" after {time.time() - context.settings.started:.0f} s" if context.settings.started else ""
    log.info("ready on http://%s:%d%s", context.settings.host, context.settings.port, seconds)


async def follow(context: Context, registry: CollectorRegistry) -> None:
    """Look at registry and keys file again and again: another server, or a person, may have changed them."""
    looked = ahead = time.monotonic()
    while True:
        await asyncio.sleep(context.settings.follow_seconds)
        try:
            await context.plane.lanes.registry(context.gate.look_at_keys)
            whole = time.monotonic() - looked > _WHOLE_LOOK_SECONDS
            if whole or await context.plane.lanes.registry(context.plane.reader.changed):
                looked = time.monotonic()
                await context.plane.refresh()
            if context.ready:
                context.plane.mend()
            if context.ready and time.monotonic() - ahead > _AHEAD_SECONDS:
                ahead = time.monotonic()
                await context.plane.look_ahead(available_memory())
                if context.on_demand is not None:
                    await context.on_demand.flush()
            _keep_labels(context)
            lora_info.bound(registry)
        except Exception as error:
            # This task is the only one that follows: it must survive what it meets.
            log.error("following the registry failed: %s", type(error).__name__)


async def drain_on_sigterm(context: Context, state: Any) -> None:
    """Once the HTTP server runs: SIGTERM closes the door, running requests finish, then vLLM stops as by SIGINT."""
    while not getattr(getattr(state, "server", None), "started", False):
        await asyncio.sleep(_STOP_POLL)
    loop = asyncio.get_running_loop()
    stopping: set[asyncio.Task[None]] = set()

    async def stop() -> None:
        log.info("stopping: %d requests are running", context.gate.running)
        if not await context.gate.drained(context.settings.drain_seconds):
            log.warning("stopping: %d requests did not finish in time", context.gate.running)
        os.kill(os.getpid(), signal.SIGINT)

    def on_signal() -> None:
        if not stopping:
            stopping.add(loop.create_task(stop()))

    loop.add_signal_handler(signal.SIGTERM, on_signal)


def _keep_labels(context: Context) -> None:
    """What aliases mean keeps its metrics, however many others are asked."""
    adapters = context.plane.catalogue.adapters.values()
    context.metrics.labels.keep((adapter.name, revision) for adapter in adapters for revision in adapter.weights)

"""What becomes of an alias by the answers that its revisions give: a split that fails goes back, a canary moves on."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from adapters.registry.catalogue import Adapter
from server.context import Context

log = logging.getLogger("server.answers")


def judge(
    context: Context, name: str, revision: str, failed: bool, again: bool = False, pace: float | None = None
) -> None:
    """Note whether an answer was good (`again`: judged anew), and how long a token of it took, in seconds."""
    adapter = context.plane.catalogue.adapters.get(name)
    if adapter is None:
        return
    share = context.plane.watch.record(adapter, revision, failed, again)
    if share is not None:
        _go_back(context, adapter, revision, f"fails {share * 100:.0f} % of its answers: the split is rolled back")
        return
    canary = context.plane.canaries.of(adapter)
    if canary is None:
        return
    if again:
        context.plane.canaries.reported_invalid(adapter, revision)
        return
    verdict, why = context.plane.canaries.answered(adapter, revision, failed, pace) or (None, "")
    if verdict == "worse":
        canary.moving = True
        _go_back(context, adapter, canary.plan.revision, f"is no good canary, {why}: it is rolled back")
    elif verdict == "advance":
        canary.moving = True
        _start(context, context.admin.canaries.advance(name, canary, adapter.tag), "the canary's next step")


def _go_back(context: Context, adapter: Adapter, revision: str, why: str) -> None:
    context.plane.watch.forget(adapter.name)
    log.warning("%s@%s %s", adapter.name, revision, why)
    work = context.admin.rollback("server", adapter.name, "automatic", adapter.weights, revision)
    _start(context, work, "the automatic rollback")


def _start(context: Context, work: Coroutine[Any, Any, Any], what: str) -> None:
    task = asyncio.create_task(work)
    context.steps.add(task)  # the loop itself holds its tasks weakly
    task.add_done_callback(context.steps.discard)
    task.add_done_callback(lambda done: _log_failure(done, what))


def _log_failure(task: "asyncio.Task[Any]", what: str) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("%s failed: %s", what, task.exception())

"""What the admin routes show of an adapter. Never a path."""

from typing import Any

from adapters.registry.catalogue import Adapter, Revision
from server.context import Context
from server.control.canary_actions import show


def show_adapter(context: Context, adapter: Adapter) -> dict[str, Any]:
    """Aliases, shares, revisions with state, residency and scores."""
    total = sum(adapter.weights.values())
    loaded = {revision.public_name for revision in context.plane.residency.resident()}
    return {
        "name": adapter.name,
        "serving": {revision: weight / total for revision, weight in adapter.weights.items()},
        "history": list(adapter.history),
        "canary": show(context.plane.canaries.of(adapter)),
        "revisions": [_show_revision(context, adapter, revision, loaded) for revision in adapter.revisions.values()],
    }


def _show_revision(context: Context, adapter: Adapter, revision: Revision, loaded: set[str]) -> dict[str, Any]:
    manifest = revision.manifest
    share = adapter.weights.get(revision.revision, 0.0) / (sum(adapter.weights.values()) or 1.0)
    return {
        "revision": revision.revision,
        "model": revision.public_name,
        "state": _state(adapter, revision),
        "check": revision.check,
        "reason": revision.refusal,
        "share": share,
        "resident": revision.public_name in loaded,
        "pinned": revision.revision in adapter.pinned,
        "running": context.plane.residency.in_use(revision.public_name),
        "bytes": revision.size,
        "rank": revision.rank or None,
        "modules": revision.modules or None,
        "left_out": list(revision.left_out),
        "scores": manifest.scores if manifest else None,
    }


def _state(adapter: Adapter, revision: Revision) -> str:
    if revision.refusal is not None:
        return "refused"
    return "serving" if revision.revision in adapter.weights else "registered"

"""Which revisions an operator means, and whether they may share an alias."""

from adapters.registry.catalogue import Adapter, Revision
from adapters.registry.errors import Conflict
from adapters.registry.state import Weights


def resolve_weights(adapter: Adapter, weights: Weights) -> dict[str, tuple[Revision, float]]:
    """Each revision that a prefix of `weights` names, with its share. Raises NotFound, Ambiguous, Conflict."""
    found: dict[str, tuple[Revision, float]] = {}
    for prefix, weight in weights.items():
        revision = adapter.find(prefix)
        if revision.refusal is not None:
            raise Conflict(f"{revision.public_name} cannot serve: {revision.refusal}")
        if revision.revision in found:
            raise Conflict(f"Revision {revision.revision} is named twice.")
        found[revision.revision] = (revision, weight)
    contracts = {revision.prompt_sha256 for revision, _ in found.values()}
    if len(contracts) > 1:
        raise Conflict("These revisions have different prompt contracts: a caller could not know which to render.")
    return found

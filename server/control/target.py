"""What a request's `model` means at this moment."""

from collections.abc import Callable
from dataclasses import dataclass

from adapters.registry.catalogue import Catalogue, Revision
from adapters.registry.errors import RegistryError
from server.control.picker import pick
from server.errors import NotHere, Unavailable


@dataclass(frozen=True)
class Target:
    """The base (`revision` None) or one exact revision; `adapter` is the name that a key's rights are about."""

    model: str
    adapter: str | None = None
    revision: Revision | None = None


@dataclass(frozen=True)
class Resolver:
    """Finds targets. `base`: the base model's public name."""

    base: str
    random: Callable[[], float]

    def resolve(self, catalogue: Catalogue, model: str | None, user: str | None) -> Target:
        """Base name, alias, or `alias@revision` (a prefix will do). Raises NotHere, Unavailable."""
        if not model or model == self.base:
            return Target(self.base)
        name, _, wanted = model.partition("@")
        adapter = catalogue.adapters.get(name)
        if adapter is None:
            raise NotHere(f"The model {model[:100]!r} does not exist.", param="model", code="model_not_found")
        if wanted:
            try:
                revision = adapter.find(wanted)
            except RegistryError as error:
                raise NotHere(str(error), param="model", code="model_not_found") from error
        else:
            if not adapter.weights:
                reasons = [f"{r.revision}: {r.refusal}" for r in adapter.revisions.values()]
                text = f"Adapter {name!r} cannot serve. {' '.join(reasons)}"
                raise NotHere(text, param="model", code="model_not_found")
            chosen = pick(adapter.weights, name, user, self.random)
            if chosen not in adapter.revisions:
                raise Unavailable(f"Adapter {name!r} is to serve revision {chosen}, which is missing.", 5)
            revision = adapter.revisions[chosen]
        if revision.transient:
            raise Unavailable(f"{revision.public_name} cannot serve at the moment: {revision.refusal}", 5)
        if revision.refusal is not None:
            raise NotHere(f"{revision.public_name} cannot serve: {revision.refusal}", param="model", code="refused")
        return Target(revision.public_name, name, revision)

    def likely(self, catalogue: Catalogue, model: str) -> Revision | None:
        """The revision that most of a name's requests get, None where none of them could be answered."""
        name, _, wanted = model.partition("@")
        adapter = catalogue.adapters.get(name)
        if adapter is None:
            return None
        weights = adapter.weights
        chosen = wanted or max(weights, key=lambda revision: weights[revision], default="")
        revision = adapter.revisions.get(chosen)
        return revision if revision is not None and revision.refusal is None else None

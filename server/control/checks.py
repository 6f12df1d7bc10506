"""What a revision must pass around its first load: its files as a whole before it, a proof of effect after it."""

import logging
from dataclasses import dataclass, field

from adapters.registry.base_form import form_warning
from adapters.registry.catalogue import Revision
from adapters.registry.proofs import Proofs
from adapters.registry.reader import Reader
from adapters.registry.scan import Found
from adapters.registry.validate import check_content
from server.control.lanes import Lanes
from server.control.probe import Prober

log = logging.getLogger("server.plane")


@dataclass
class Checks:
    """Each is made once for what lies there."""

    reader: Reader
    lanes: Lanes
    prober: Prober
    proofs: Proofs
    _verified: set[Found] = field(default_factory=set)

    async def verify(self, revision: Revision) -> None:
        """The checks that read all weights, before the first load of what lies there. Raises Refused."""
        if revision.found in self._verified:
            return
        await self.lanes.check(check_content, revision.folder, revision.manifest, revision.revision)
        self._verified.add(revision.found)
        if warning := form_warning(revision.public_name, revision.manifest, self.reader.rules.base.form):
            log.warning("%s", warning)

    async def prove(self, revision: Revision) -> None:
        """The proof of effect, after the first load of what no server has proved yet. Raises Refused."""
        if not await self.lanes.registry(self.proofs.has, revision.revision):
            await self.prober.prove(revision.public_name, revision.manifest)
            await self.lanes.registry(self.proofs.note, revision.revision)

    def keep(self, present: set[Found]) -> None:
        """What is no longer there is forgotten."""
        self._verified &= present

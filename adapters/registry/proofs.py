"""Which revisions were proved to have an effect on which base: asked of the engine once, not at every load.

A file a revision and rounding of the base in a hidden folder of the registry: what was proved on the original says
nothing of the same base in four bits. A revision is its content, so a proof never grows old; whoever can write here can
write the weights as well.
"""

from pathlib import Path

PROOFS = ".proofs"


class Proofs:
    """Of the registry folder `root`, against the base with `fingerprint`; `rounding`: `BaseModel.rounding`."""

    def __init__(self, root: Path, fingerprint: str, rounding: str = "") -> None:
        self._folder = root / PROOFS
        self._fingerprint = fingerprint
        self._suffix = f".{rounding}" if rounding else ""

    def has(self, revision: str) -> bool:
        """Whether somebody has proved this revision on this base."""
        try:
            return (self._folder / f"{revision}{self._suffix}").read_text(encoding="ascii") == self._fingerprint
        except (OSError, ValueError):
            return False

    def note(self, revision: str) -> None:
        """Remember a proof; where the folder cannot be written it is made again at the next start."""
        try:
            self._folder.mkdir(exist_ok=True)
            scratch = self._folder / f".{revision}{self._suffix}"
            scratch.write_text(self._fingerprint, encoding="ascii")
            scratch.rename(self._folder / f"{revision}{self._suffix}")
        except OSError:
            return

    def forget(self, revision: str) -> None:
        """The revision is gone, whatever the base's rounding that it was proved on."""
        try:
            for proof in self._folder.glob(f"{revision}*"):
                proof.unlink(missing_ok=True)
        except OSError:
            return

"""What can go wrong in the registry, each one clear sentence fit for a caller's eyes.

RegistryError
├── Refused        a revision does not pass a check; `check` names it
├── NotFound       no such adapter or revision
├── Ambiguous      a prefix names several revisions
├── Conflict       the operation contradicts the present state
└── SourceError    a remote source cannot be had
"""


class RegistryError(Exception):
    """One sentence that names the thing and the value."""


class Refused(RegistryError):
    """A revision that may not serve. `check` is the failed check's name (docs/refusals.md)."""

    def __init__(self, check: str, message: str) -> None:
        super().__init__(message)
        self.check = check


class NotFound(RegistryError):
    """No such adapter or revision."""


class Ambiguous(RegistryError):
    """A prefix that names several revisions."""


class Conflict(RegistryError):
    """The operation contradicts the present state."""


class SourceError(RegistryError):
    """A remote source cannot be had."""

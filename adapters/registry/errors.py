"""What can go wrong in the registry, each one clear sentence fit for a caller's eyes.

RegistryError
├── Refused        a revision does not pass a check; `check` names it
├── NotFound       no such adapter or revision
├── Ambiguous      a prefix names several revisions
├── Conflict       the operation contradicts the present state
│   └── Changed    it was made for a state that somebody has changed meanwhile
├── SourceError    a remote source cannot be had
│   └── NoSource    there is nothing at it
├── Busy           somebody else holds the registry; try again
├── Unusable       the user's own registry folder cannot be made or written
└── Damaged        the state file cannot be read (a ValueError too)
"""

_LONGEST = 500
# Checks that say nothing about a revision: a disk, a network or an engine failed for a moment.
TRANSIENT_CHECKS = frozenset({"unreadable", "engine-busy"})


class RegistryError(Exception):
    """One sentence that names the thing and the value."""


class Refused(RegistryError):
    """A revision that may not serve. `check` is the failed check's name (docs/reference/refusals.md).

    The sentence may quote a file of any content: it is kept short and on one line.
    """

    def __init__(self, check: str, message: str) -> None:
        line = "".join(sign if sign.isprintable() else " " for sign in message[: _LONGEST + 1])
        super().__init__(line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…")
        self.check = check

    @property
    def transient(self) -> bool:
        """Whether it may pass the next time as it is."""
        return self.check in TRANSIENT_CHECKS


class NotFound(RegistryError):
    """No such adapter or revision."""


class Ambiguous(RegistryError):
    """A prefix that names several revisions."""


class Conflict(RegistryError):
    """The operation contradicts the present state."""


class Changed(Conflict):
    """The caller knew an older state."""


class SourceError(RegistryError):
    """A remote source cannot be had."""


class NoSource(SourceError):
    """There is nothing at a remote source, or nothing that we may see."""


class Busy(RegistryError):
    """Somebody else holds the registry."""


class Unusable(RegistryError):
    """The user's own registry folder cannot be made or written."""


class Damaged(RegistryError, ValueError):
    """The state file cannot be read."""

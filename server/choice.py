"""One decision of the launch."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """One decision of the launch and why it was taken."""

    name: str
    value: str
    why: str

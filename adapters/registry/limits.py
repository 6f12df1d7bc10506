"""How large a revision may be."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SizeLimits:
    """`bytes`: unpacked; `files`: in the archive."""

    bytes: int = 512 << 20
    files: int = 64

"""How large a revision may be."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SizeLimits:
    """`bytes`: unpacked; `files`: in the archive."""

    bytes: int = 512 << 20
    files: int = 64


# Bytes of what is parsed as a whole. A manifest holds up to 64 golden cases, a header one line a tensor.
MAX_MANIFEST = 4 << 20
MAX_CONFIG = 1 << 20
MAX_ADAPTER_HEADER = 8 << 20

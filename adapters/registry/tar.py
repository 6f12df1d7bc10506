"""Reads a tar as a stream, in constant memory: Python's own reads long headers whole, however long they say they are.

Formats: POSIX ustar and pax (https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html), GNU's long names.
What no revision needs (sparse files, archives over several volumes) is refused.
"""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from adapters.registry.errors import Refused

BLOCK = tarfile.BLOCKSIZE
FILE, FOLDER, LINK, OTHER = "file", "folder", "link", "other"
_MAX_HEADER = 64 << 10  # bytes of names and attributes before one member
_MAX_HEADERS = 8  # headers before one member
_SKIP = 64 << 10
_KINDS = {
    tarfile.REGTYPE: FILE,
    tarfile.AREGTYPE: FILE,
    tarfile.CONTTYPE: FILE,
    tarfile.DIRTYPE: FOLDER,
    tarfile.SYMTYPE: LINK,
    tarfile.LNKTYPE: LINK,
}
TarError = tarfile.TarError


class Stream(Protocol):
    """What is read: `read` may give less than it was asked for only at the end."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes."""


class Content:
    """One member's bytes; what is not read of them is skipped."""

    def __init__(self, stream: Stream, size: int) -> None:
        self._stream = stream
        self._left = size
        self._padding = -size % BLOCK

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, none at the end. Raises EOFError where the archive is cut off."""
        wanted = min(size, self._left)
        chunk = self._stream.read(wanted)
        if len(chunk) < wanted:
            raise EOFError("the archive is cut off")
        self._left -= len(chunk)
        return chunk

    def skip(self) -> None:
        """To the next member."""
        while self.read(_SKIP):
            pass
        self._left, self._padding = self._padding, 0
        self.read(BLOCK)


@dataclass(frozen=True)
class Entry:
    """A member. `size`: of its content in bytes, as the archive claims."""

    name: str
    kind: str
    size: int
    content: Content


def is_header(block: bytes) -> bool:
    """Whether these 512 bytes begin a tar."""
    try:
        return bool(tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape"))
    except tarfile.TarError:
        return False


def read(stream: Stream) -> Iterator[Entry]:
    """Member by member, each valid until the next one is asked for. Raises Refused, TarError, EOFError, ValueError."""
    while (entry := _next(stream)) is not None:
        yield entry
        entry.content.skip()
    # A gzip's checksum stands behind the padding: reading on finds damage.
    stream.read(_SKIP)


def _next(stream: Stream) -> Entry | None:
    name, size = None, None
    for _ in range(_MAX_HEADERS):
        block = stream.read(BLOCK)
        if not block.strip(b"\0"):
            return None
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        if info.size < 0:
            raise tarfile.ReadError("a negative size")
        if info.type == tarfile.XHDTYPE:
            attributes = _attributes(_header(stream, info.size))
            name = attributes.get("path", name)
            size = int(attributes["size"]) if "size" in attributes else size
        elif info.type == tarfile.GNUTYPE_LONGNAME:
            name = _header(stream, info.size).rstrip(b"\0").decode("utf-8", "surrogateescape")
        elif info.type in {tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK}:
            _header(stream, info.size)
        else:
            kind = _KINDS.get(info.type, OTHER)
            length = info.size if size is None else size
            if length < 0:
                raise tarfile.ReadError("a negative size")
            name = info.name if name is None else name
            kind = FOLDER if kind == FILE and name.endswith("/") else kind
            # Links and folders have no content, whatever size they claim.
            return Entry(name, kind, length, Content(stream, length if kind in {FILE, OTHER} else 0))
    raise tarfile.ReadError("too many headers before a member")


def _header(stream: Stream, size: int) -> bytes:
    if size > _MAX_HEADER:
        raise Refused("archive-header", f"The archive has a header of {size} bytes; {_MAX_HEADER} are taken.")
    content = Content(stream, size)
    found = content.read(size)
    content.skip()
    return found


def _attributes(records: bytes) -> dict[str, str]:
    """A pax header's records: `length key=value`, ended by a new line."""
    attributes: dict[str, str] = {}
    while records.strip(b"\0"):
        length, _, _ = records.partition(b" ")
        end = int(length)
        if not len(length) + 3 <= end <= len(records):
            raise tarfile.ReadError("a header's record does not lie inside of it")
        key, _, value = records[len(length) + 1 : end - 1].partition(b"=")
        if key.startswith(b"GNU.sparse"):
            raise tarfile.ReadError("a sparse file")
        attributes[key.decode("utf-8", "replace")] = value.decode("utf-8", "surrogateescape")
        records = records[end:]
    return attributes

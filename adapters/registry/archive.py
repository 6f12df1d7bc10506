"""Unpacks an uploaded revision, trusting nothing in it: only plain files, only inside, only so many bytes.

Limits hold for memory as well. Whatever an archive claims about itself, one read of it takes a mebibyte at most:
`zipfile` would take in a whole central directory, `tarfile` a header of any length (tar.py is why it is not used).
"""

import errno
import gzip
import shutil
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from adapters.registry import tar
from adapters.registry.contents import Taken, check_weights, is_wanted
from adapters.registry.digest import CONFIG_FILE
from adapters.registry.errors import Refused
from adapters.registry.limits import SizeLimits

_CHUNK = 1 << 20
_DEEPEST = 2  # an adapter's files lie at the archive's root or in one folder of it
# What the system says of names that do not go together; damage of a gzip has no number at all.
_OF_NAMES = frozenset({None, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL, errno.ENOENT})


@dataclass(frozen=True)
class _Member:
    """`open`: reads its content; None for what is left out and need not be read."""

    name: str
    size: int
    open: IO[bytes] | tar.Content


class _Bounded:
    """A file that gives no more than a mebibyte at a time, so that nobody can be made to hold more."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, size: int = -1) -> bytes:
        """At most a mebibyte. Raises Refused where more is asked for."""
        if size > _CHUNK:
            raise Refused("archive-header", f"The archive's table of contents is larger than {_CHUNK >> 20} MiB.")
        return self._file.read(_CHUNK if size < 0 else size)


def unpack(archive: Path | IO[bytes], target: Path, limits: SizeLimits) -> Taken:
    """Unpack a tar, tar.gz or zip into `target`; the folder in it that holds the adapter.

    Raises Refused, and OSError where this machine cannot write.
    """
    if isinstance(archive, Path):
        with archive.open("rb") as file:
            return unpack(file, target, limits)
    try:
        left_out = _write(_members(archive, limits), target, limits)
    except Refused:
        raise
    except Exception as error:
        # Python's readers of archives raise almost anything: BadZipFile, zlib's error, IndexError, struct.error …
        if isinstance(error, OSError) and error.errno not in _OF_NAMES:
            raise  # this machine's disk
        text = f"The archive cannot be read to its end ({type(error).__name__})."
        raise Refused("archive-damaged", text) from error
    folder = _adapter_folder(target, left_out)
    inside = folder.relative_to(target).as_posix() + "/"
    named = tuple(sorted(name.removeprefix(inside) for name in left_out))
    check_weights((path.name for path in folder.iterdir()), named)
    return Taken(folder, named)


def _members(file: IO[bytes], limits: SizeLimits) -> Iterator[_Member]:
    file.seek(0)
    start = file.read(tar.BLOCK)
    file.seek(0)
    if start[:2] == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=file, mode="rb") as unzipped:
            yield from _tar_members(unzipped, limits)
    elif tar.is_header(start):
        yield from _tar_members(file, limits)
    elif zipfile.is_zipfile(_Bounded(file)):
        with zipfile.ZipFile(_Bounded(file)) as opened:
            yield from _zip_members(opened, limits)
    else:
        raise Refused("archive-format", "The upload is neither a tar, a tar.gz nor a zip archive.")


def _tar_members(stream: Any, limits: SizeLimits) -> Iterator[_Member]:
    for count, entry in enumerate(tar.read(stream), start=1):
        _check_count(count, limits)
        _check_name(entry.name)
        if entry.kind == tar.FOLDER:
            continue
        if entry.kind == tar.LINK:
            raise Refused("archive-link", f"{entry.name!r} in the archive is a link.")
        if entry.kind != tar.FILE:
            raise Refused("archive-device", f"{entry.name!r} in the archive is neither a file nor a folder.")
        yield _Member(entry.name, entry.size, entry.content)


def _zip_members(archive: zipfile.ZipFile, limits: SizeLimits) -> Iterator[_Member]:
    for count, info in enumerate(archive.infolist(), start=1):
        _check_count(count, limits)
        _check_name(info.filename)
        if info.is_dir():
            continue
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind == stat.S_IFLNK:
            raise Refused("archive-link", f"{info.filename!r} in the archive is a link.")
        if kind not in {0, stat.S_IFREG}:
            raise Refused("archive-device", f"{info.filename!r} in the archive is neither a file nor a folder.")
        if info.flag_bits & 1:
            raise Refused("archive-encrypted", f"{info.filename!r} in the archive is encrypted.")
        if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            # The dictionaries of other methods may be gigabytes large.
            raise Refused(
                "archive-format", f"{info.filename!r} in the archive is packed by a method other than deflate."
            )
        with archive.open(info) as opened:
            yield _Member(info.filename, info.file_size, opened)


def _write(members: Iterator[_Member], target: Path, limits: SizeLimits) -> list[str]:
    """Copy what a revision needs, counting what comes out: sizes that an archive claims are claims.

    The names of what was left out. Their claimed size counts too: a tar has to be read past them.
    """
    left = limits.bytes
    seen: set[str] = set()
    left_out: list[str] = []
    for member in members:
        name = str(PurePosixPath(member.name))
        if name.lower() in seen:
            raise Refused("archive-duplicate", f"{member.name!r} is in the archive twice.")
        seen.add(name.lower())
        if not is_wanted(PurePosixPath(name).name) or len(PurePosixPath(name).parts) > _DEEPEST:
            left_out.append(name)
            left = _count(left, member.size, limits)
            continue
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            while chunk := member.open.read(_CHUNK):
                left = _count(left, len(chunk), limits)
                file.write(chunk)
    return left_out


def _count(left: int, size: int, limits: SizeLimits) -> int:
    if size < 0 or size > left:
        raise Refused("archive-size", f"The archive unpacks to more than {limits.bytes >> 20} MiB.")
    return left - size


def _check_count(count: int, limits: SizeLimits) -> None:
    if count > limits.files:
        raise Refused("archive-files", f"The archive holds more than {limits.files} files.")


def _check_name(name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or "\\" in name or (len(name) > 1 and name[1] == ":"):
        raise Refused("archive-absolute", f"{name[:100]!r} in the archive is an absolute path.")
    if ".." in path.parts:
        raise Refused("archive-parent", f"{name[:100]!r} in the archive leads out of it.")
    if len(name) > 200 or any(not 32 <= ord(sign) < 0xD800 and ord(sign) <= 0xDFFF for sign in name):
        raise Refused("archive-name", f"{name[:60]!r} in the archive is no name for a file.")


def _adapter_folder(target: Path, left_out: list[str]) -> Path:
    """The archive's root, or the only folder in it that holds an adapter."""
    folders = [path for path in sorted(target.iterdir()) if path.is_dir()]
    if (target / CONFIG_FILE).is_file():
        for folder in folders:
            left_out.append(f"{folder.name}/")
            shutil.rmtree(folder)
        return target
    holding = [folder for folder in folders if (folder / CONFIG_FILE).is_file()]
    if len(holding) != 1:
        check_weights((path.name for path in target.rglob("*")), (PurePosixPath(name).name for name in left_out))
        raise Refused("config-missing", f"The archive holds no {CONFIG_FILE} at its root or in its only folder.")
    return holding[0]

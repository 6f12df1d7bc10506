"""Unpacks an uploaded revision, trusting nothing in it: only plain files, only inside, only so many bytes."""

import stat
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from adapters.registry.digest import CONFIG_FILE
from adapters.registry.errors import Refused
from adapters.registry.limits import SizeLimits

_CHUNK = 1 << 20
_PICKLES = frozenset({".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".npy", ".npz"})


@dataclass(frozen=True)
class _Member:
    name: str
    open: IO[bytes]


def unpack(archive: Path, target: Path, limits: SizeLimits) -> Path:
    """Unpack a tar, tar.gz or zip into `target`; the folder in it that holds the adapter. Raises Refused."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                _write(_zip_members(opened, limits), target, limits)
        elif tarfile.is_tarfile(archive):
            with tarfile.open(archive, "r:*") as opened_tar:
                _write(_tar_members(opened_tar, limits), target, limits)
        else:
            raise Refused("archive-format", "The upload is neither a tar, a tar.gz nor a zip archive.")
    except Refused:
        raise
    except (
        tarfile.TarError,
        zipfile.BadZipFile,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
        NotImplementedError,
    ) as e:
        raise Refused("archive-damaged", f"The archive cannot be read to its end ({type(e).__name__}).") from e
    return _adapter_folder(target)


def _tar_members(archive: tarfile.TarFile, limits: SizeLimits) -> Iterator[_Member]:
    for count, member in enumerate(archive, start=1):
        _check_count(count, limits)
        _check_name(member.name)
        if member.isdir():
            continue
        if member.issym() or member.islnk():
            raise Refused("archive-link", f"{member.name!r} in the archive is a link.")
        if not member.isreg():
            raise Refused("archive-device", f"{member.name!r} in the archive is neither a file nor a folder.")
        opened = archive.extractfile(member)
        if opened is not None:
            yield _Member(member.name, opened)


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
        with archive.open(info) as opened:
            yield _Member(info.filename, opened)


def _write(members: Iterator[_Member], target: Path, limits: SizeLimits) -> None:
    """Copy member by member, counting what comes out: sizes that an archive claims are claims."""
    left = limits.bytes
    seen: set[str] = set()
    for member in members:
        name = str(PurePosixPath(member.name))
        if name.lower() in seen:
            raise Refused("archive-duplicate", f"{member.name!r} is in the archive twice.")
        seen.add(name.lower())
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            while chunk := member.open.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise Refused("archive-size", f"The archive unpacks to more than {limits.bytes >> 20} MiB.")
                file.write(chunk)


def _check_count(count: int, limits: SizeLimits) -> None:
    if count > limits.files:
        raise Refused("archive-files", f"The archive holds more than {limits.files} files.")


def _check_name(name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or "\\" in name or (len(name) > 1 and name[1] == ":"):
        raise Refused("archive-absolute", f"{name!r} in the archive is an absolute path.")
    if ".." in path.parts:
        raise Refused("archive-parent", f"{name!r} in the archive leads out of it.")
    if "\0" in name or len(name) > 200 or any(ord(character) < 32 for character in name):
        raise Refused("archive-name", f"{name[:60]!r} in the archive is no name for a file.")
    if path.suffix.lower() in _PICKLES:
        raise Refused("pickle", f"{name!r} may be a pickle, which can run code; only safetensors are taken.")


def _adapter_folder(target: Path) -> Path:
    """The archive's root, or its only folder."""
    if (target / CONFIG_FILE).is_file():
        return target
    inside = list(target.iterdir())
    if len(inside) == 1 and inside[0].is_dir():
        return inside[0]
    raise Refused("config-missing", f"The archive holds no {CONFIG_FILE} at its root or in its only folder.")

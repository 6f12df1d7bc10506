"""A temporary folder of a server's own, for what vLLM leaves in it: the sockets between its processes, the file that
they meet by.

vLLM names these anew at each start and does not remove all of them, least of all when it is killed. So each server has
a folder that is locked while one of its processes lives; it goes with the server, or at the next start where the server
was killed.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_PREFIX = "cni-server-"
# A Unix socket's path has 107 bytes (sun_path); vLLM's are named by a UUID (get_open_zmq_ipc_path).
_LONGEST = 107 - len("/") - 36


def claim() -> Path | None:
    """A new folder that nobody else may enter, locked by this process and by what it executes.

    None where there can be none, or its sockets' paths would be too long: then vLLM uses the common folder, as ever.
    """
    try:
        base = Path(tempfile.gettempdir())
        sweep(base)
        while True:
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
            if len(os.fsencode(folder)) > _LONGEST:
                folder.rmdir()
                return None
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.is_dir():  # else another start swept it before it was locked
                os.set_inheritable(lock, True)
                return folder
            os.close(lock)
    except OSError:
        return None


def sweep(base: Path) -> None:
    """Remove the folders of servers that have ended. What cannot be removed stays."""
    for folder in base.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(lock).st_uid == os.geteuid():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def environment(folder: Path | None, environ: Mapping[str, str]) -> dict[str, str]:
    """What makes vLLM use the folder. `environ`: the caller's.

    What torch compiles is kept from start to start, so that stays where it was.
    """
    if folder is None:
        return {}
    kept = Path(tempfile.gettempdir()) / f"torchinductor_{os.getuid()}"
    return {"TMPDIR": str(folder), "TORCHINDUCTOR_CACHE_DIR": environ.get("TORCHINDUCTOR_CACHE_DIR", str(kept))}


def release() -> None:
    """Remove this process's temporary folder where it is one that `claim` made: the server ends."""
    folder = Path(tempfile.gettempdir())
    if folder.name.startswith(_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)

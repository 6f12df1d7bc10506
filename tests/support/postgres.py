"""A PostgreSQL of a test's own, on a free port, with its data in a temporary folder; ended by its process."""

import getpass
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SECONDS = 60.0


def binaries() -> Path | None:
    """The folder of `initdb` and `postgres`, None where there is none (Debian: apt-get install postgresql)."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return folders[-1].parent if folders else None


@contextmanager
def postgres() -> Iterator[str]:
    """Its address. It does not run as root, so root lends it to the user `postgres`."""
    binary = binaries()
    assert binary is not None
    user, owner = getpass.getuser(), {}
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    if os.getuid() == 0:
        entry = pwd.getpwnam("postgres")
        owner = {"user": entry.pw_uid, "group": entry.pw_gid}
        user = "postgres"
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    data = folder / "data"
    initdb = [binary / "initdb", "-D", data, "-U", user, "-A", "trust", "-N", "-E", "UTF8", "--locale=C"]
    subprocess.run(initdb, check=True, capture_output=True, cwd="/", **owner)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [binary / "postgres", "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", "", "-F"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **owner)
    try:
        _wait(port)
        yield f"postgresql://{user}@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int) -> None:
    import psycopg

    ends = time.monotonic() + _SECONDS
    while True:
        try:
            psycopg.connect(f"host=127.0.0.1 port={port} user=nobody dbname=postgres", connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if "role" in str(error):  # it answers, and knows nobody
                return
            if time.monotonic() > ends:
                raise
            time.sleep(0.1)
        else:
            return

"""Whether both services fit into the memory at hand, asked of the server itself before anything is loaded."""

import os
import re
import subprocess

from adapters.cgroup import usable_cores
from deploy.up.plan import Plan, Refusal

# One OCR worker's process, and the front's own.
_WORKER_GIB, _FRONT_GIB = 1.0, 0.25
_CORES_A_WORKER = 4
_SHOWN = ("context length", "KV cache", "requests in a batch")


def reserve() -> dict[str, str]:
    """The server's setting for what the OCR front takes beside it, unless the caller set it."""
    if os.environ.get("SERVER_RESERVE_GIB"):
        return {}
    given = os.environ.get("OCR_FRONT_OCR_WORKERS", "")
    workers = int(given) if given.isdigit() else max(1, usable_cores() // _CORES_A_WORKER)
    return {"SERVER_RESERVE_GIB": str(_FRONT_GIB + _WORKER_GIB * workers)}


def check_fit(plan: Plan, command: list[str], environment: dict[str, str]) -> str:
    """What the server chose, one line. Raises Refusal with the server's own sentence. `command`: the server's."""
    done = subprocess.run(
        [*command, "explain"],
        cwd=plan.root,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Refusal(told(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "the server cannot start"))
    chosen = dict(re.findall(r"^\[server\] ([^=]+?) = (\S+(?: GiB)?)", done.stdout, re.MULTILINE))
    return ", ".join(f"{name} {chosen[name]}" for name in _SHOWN if name in chosen)


def told(sentence: str) -> str:
    """The server's sentence with commands that work from a clone as they stand."""
    said = sentence.removeprefix("[server] cannot start: ").replace("'python -m", "'.venv-server/bin/python -m")
    made = re.search(r"--out (\S+)'", said)
    return f"{said} Then: make up MODEL={made[1]}" if made else said

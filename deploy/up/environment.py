"""Environments from lock files, with uv. Each carries the digest of its lock, so a second run does nothing."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.up.plan import Refusal
from deploy.up.screen import Phase

UV = "uv==0.13.9"
_STAMP = "lock.sha256"
_PROBE = "six==1.17.0\n"  # any small package


def find_uv(root: Path) -> str:
    """uv from the PATH, else from a small environment of its own, made now."""
    found = shutil.which("uv")
    if found:
        return found
    tools = root / ".venv-tools"
    binary = tools / "bin/uv"
    if not binary.exists():
        with Phase(f"fetching {UV}"):
            _run(
                [sys.executable, "-m", "venv", str(tools)],
                "Python lacks its venv module (Debian: apt install python3-venv).",
            )
            _run(
                [str(tools / "bin/pip"), "install", "-q", UV],
                f"{UV} cannot be had: check the network or the package index.",
            )
    return str(binary)


def reach_index(root: Path) -> None:
    """Raise Refusal where the package index does not answer: seconds now instead of minutes into the installation."""
    probe = [find_uv(root), "pip", "compile", "-q", "--no-deps", "--no-header", "--refresh", "-"]
    result = subprocess.run(probe, input=_PROBE, capture_output=True, text=True, check=False)
    if result.returncode:
        raise Refusal("The package index does not answer: check the network, or name an index with UV_INDEX_URL.")


def ready(env: Path, lock: Path) -> bool:
    """Whether `env` was made from exactly this lock."""
    stamp = env / _STAMP
    return stamp.exists() and stamp.read_text() == _digest(lock)


def make(root: Path, env: Path, lock: Path) -> None:
    """Create `env` or bring it up to date. Raises Refusal; a broken-off attempt is done again next time."""
    if ready(env, lock):
        return
    uv = find_uv(root)
    # uv draws its own bars on a terminal, a better picture of a download than ours.
    with Phase(f"installing {env.name} from {lock.name}", moving=False):
        (env / _STAMP).unlink(missing_ok=True)
        if not (env / "bin/python").exists():
            _run([uv, "venv", "-q", "--python", sys.executable, str(env)], f"{env} cannot be made.")
        install = [uv, "pip", "install", "--python", str(env / "bin/python"), "--no-deps", *index_options()]
        _run(
            [*install, "-r", str(lock)],
            "The locked packages cannot be had: check the network or the package index.",
            bars=True,
        )
        _run([*install, "-q", "-e", str(root)], "The project itself cannot be installed.")
        (env / _STAMP).write_text(_digest(lock))


def index_options() -> list[str]:
    """Where PyTorch's CPU build comes from: a folder of wheels where the machine has one, else PyTorch's own index."""
    folders = [
        Path(part)
        for part in os.environ.get("UV_FIND_LINKS", os.environ.get("PIP_FIND_LINKS", "")).replace(",", " ").split()
    ]
    local = [folder for folder in folders if any(folder.glob("torch-*+cpu-*.whl"))]
    if local:
        return [part for folder in local for part in ("--find-links", str(folder))]
    return ["--torch-backend", "auto"]


def _digest(lock: Path) -> str:
    """Of the lock and of the project's own declaration, whose entry points are installed too."""
    return hashlib.sha256(lock.read_bytes() + (lock.parent.parent / "pyproject.toml").read_bytes()).hexdigest()


def _run(command: list[str], sentence: str, bars: bool = False) -> None:
    """Run; on failure end with our sentence and the tool's last line. `bars`: its progress shows on a terminal."""
    shown = bars and sys.stderr.isatty()
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=None if shown else subprocess.PIPE, text=True, check=False
    )
    if result.returncode:
        lines = [line.strip() for line in (result.stderr or "").splitlines() if line.strip()]
        raise Refusal(f"{sentence} ({_cause(lines) or f'exit code {result.returncode}'})")


def _cause(lines: list[str]) -> str:
    """uv's own reason: the line that it marks as the error, else its last."""
    marked = [line.lstrip("×╰─▶ ") for line in lines if line.startswith(("error", "×", "╰─▶"))]
    return " ".join(marked) or (lines[-1] if lines else "")

"""What `make up` was asked for, and where everything lies."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

EMBEDDED = "embedded"
VARIABLES = {
    "MODEL": "base model: `embedded` (default), a folder with config.json, or a hub's name",
    "DEVICE": "`cpu` or `gpu`; by default `gpu` where nvidia-smi is found",
    "SERVER_PORT": "of the model server, 8000",
    "FRONT_PORT": "of the OCR front, 8080",
    "XDG_CACHE_HOME": "where the converted base is kept, ~/.cache",
}
_DEVICES = ("cpu", "gpu")
_MOST_PORT = 65_535


class Refusal(Exception):
    """One line for the person at the terminal."""


@dataclass(frozen=True)
class Plan:
    """One run. `device` is `gpu` where an NVIDIA driver answers, else `cpu`."""

    root: Path
    cache: Path
    model: str
    device: str
    server_port: int
    front_port: int
    server_env: Path
    front_env: Path

    @property
    def installed(self) -> bool:
        """Whether both environments are there; they may still be of an older lock."""
        return all((env / "bin/python").exists() for env in (self.server_env, self.front_env))

    @property
    def base_ready(self) -> bool:
        """Whether the embedded base was converted already, or is not asked for."""
        return self.model != EMBEDDED or any(self.cache.glob("cni-lora-server/bases/*/config.json"))

    @property
    def server_url(self) -> str:
        """Where the model server listens."""
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def front_url(self) -> str:
        """Where the OCR front listens."""
        return f"http://127.0.0.1:{self.front_port}"


def read_plan(root: Path) -> Plan:
    """From the environment that the Makefile sets. Raises Refusal for a value that makes no sense."""
    given = os.environ
    device = given.get("DEVICE") or ("gpu" if shutil.which("nvidia-smi") else "cpu")
    if device not in _DEVICES:
        raise Refusal(f"DEVICE={device} is not one of {', '.join(_DEVICES)}.")
    return Plan(
        root=root,
        cache=Path(given.get("XDG_CACHE_HOME") or Path.home() / ".cache"),
        model=given.get("MODEL") or EMBEDDED,
        device=device,
        server_port=read_port("SERVER_PORT", 8000),
        front_port=read_port("FRONT_PORT", 8080),
        server_env=root / ".venv-server",
        front_env=root / ".venv-front",
    )


def read_port(variable: str, default: int) -> int:
    """The port that a variable names. Raises Refusal where it names none."""
    given = os.environ.get(variable) or str(default)
    if not (given.isascii() and given.isdigit() and 1 <= int(given) <= _MOST_PORT):
        raise Refusal(f"{variable}={given} is not a port: give a number from 1 to {_MOST_PORT}.")
    return int(given)

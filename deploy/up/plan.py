"""What `make up` was asked for, and where everything lies."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

EMBEDDED = "embedded"


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
    """From the environment that the Makefile sets."""
    given = os.environ
    return Plan(
        root=root,
        cache=Path(given.get("XDG_CACHE_HOME") or Path.home() / ".cache"),
        model=given.get("MODEL") or EMBEDDED,
        device=given.get("DEVICE") or ("gpu" if shutil.which("nvidia-smi") else "cpu"),
        server_port=int(given.get("SERVER_PORT") or 8000),
        front_port=int(given.get("FRONT_PORT") or 8080),
        server_env=root / ".venv-server",
        front_env=root / ".venv-front",
    )

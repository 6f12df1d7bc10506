"""What must hold before anything long begins. Each failure is one line: what is wrong, what to do."""

import os
import shutil
import socket
import sys
from pathlib import Path

from deploy.up.plan import Plan, Refusal, check_settings

_GIB = 1 << 30
_MEMORY_GIB = 5  # resident at rest with the embedded base on two cores: 3.1 GiB (docs/lab-notes.md), and room to work
_DISK_FRESH_GIB = 8  # both environments, the download cache and the converted base
_DISK_WARM_GIB = 1
_KINDS = {"ADAPTER": "a PEFT folder or an archive of one", "CONTRACT": "a contract file (docs/how-to/own-adapter.md)"}


def check(plan: Plan) -> None:
    """Raise Refusal for the first thing that would make the rest fail."""
    check_python()
    check_port("model server", plan.server_port, "SERVER_PORT")
    check_port("OCR front", plan.front_port, "FRONT_PORT")
    check_memory(_MEMORY_GIB)
    _disk(plan)
    check_model(plan)
    check_adapter(plan)
    check_settings(os.environ, plan)


def check_python() -> None:
    """Raise Refusal for a Python that the locked packages do not have."""
    version = sys.version_info[:2]
    if version not in {(3, 11), (3, 12)}:
        found = ".".join(map(str, version))
        raise Refusal(
            f"Python {found} does not do: the locked packages need 3.11 or 3.12. Name one: make up PYTHON=python3.11"
        )
    if sys.platform != "linux":
        raise Refusal(f"vLLM runs on Linux, not on {sys.platform}: use a Linux machine, a virtual machine or WSL2.")


def check_port(name: str, port: int, variable: str, command: str = "make up") -> None:
    """Raise Refusal where something listens already; `variable` moves the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Refusal(
                f"Port {port} for the {name} is busy ({error.strerror}): stop what uses it, "
                f"or choose another: {command} {variable}={port + 10}"
            ) from error


def check_memory(needed: int) -> None:
    """Raise Refusal where fewer GiB are free than `needed`."""
    available = available_memory()
    if available < needed * _GIB:
        raise Refusal(
            f"Only {available / _GIB:.1f} GiB of memory are free and {needed} are needed: "
            "close something, or use a larger machine."
        )


def available_memory() -> int:
    """Bytes that are free on this machine, or could be."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _disk(plan: Plan) -> None:
    for wanted, fresh in ((plan.root, not plan.installed), (plan.cache, not plan.base_ready)):
        folder = next(path for path in (wanted, *wanted.parents) if path.exists())
        if not os.access(folder, os.W_OK):
            raise Refusal(f"{folder} cannot be written: choose a folder of your own (XDG_CACHE_HOME for the cache).")
        needed = _DISK_FRESH_GIB if fresh else _DISK_WARM_GIB
        free = shutil.disk_usage(folder).free
        if free < needed * _GIB:
            raise Refusal(
                f"Only {free / _GIB:.1f} GiB of disk are free at {folder} and {needed} are needed: make room there."
            )


def check_model(plan: Plan) -> None:
    """Raise Refusal for a MODEL that is no model folder."""
    model = plan.model
    if model.startswith((".", "/", "~")) and not (Path(model).expanduser() / "config.json").is_file():
        raise Refusal(
            f"MODEL={model} is not a model folder (no config.json there): "
            "give a folder with safetensors, config and tokenizer."
        )


def check_adapter(plan: Plan) -> None:
    """Raise Refusal for an ADAPTER or CONTRACT that is a path to nothing."""
    for variable, given in (("ADAPTER", plan.adapter), ("CONTRACT", plan.contract)):
        looks = given.startswith((".", "/", "~")) or given.count("/") > 1 or variable == "CONTRACT"
        if given and looks and "://" not in given and not Path(given).expanduser().exists():
            raise Refusal(f"{variable}={given} does not exist: give the path of {_KINDS[variable]}.")

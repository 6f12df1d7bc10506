"""What must hold before vLLM starts: each failure is one line, found before anything long begins."""

import json
import socket

from adapters.registry.base_model import BaseModel, read_base
from server.base_folder import find_base_folder
from server.machine import Machine
from server.settings import Settings
from server.tiers import size_tiers


class PrepareError(Exception):
    """One line that says what is wrong and what to do."""


def prepare(settings: Settings, machine: Machine) -> Settings:
    """Check model, port and folders; fill in the sizes that come from the machine. Raises PrepareError."""
    if not settings.model:
        raise PrepareError("no base model: set SERVER_MODEL to a folder or a hub name")
    if not settings.adapters_dir.is_dir():
        raise PrepareError(f"SERVER_ADAPTERS_DIR {settings.adapters_dir} is not a folder")
    if settings.keys_file is not None and not settings.keys_file.is_file():
        raise PrepareError(f"SERVER_KEYS_FILE {settings.keys_file} is not a file; make one with 'keys add'")
    if "cni_routes" not in machine.plugins:
        raise PrepareError("the project is not installed: its vLLM plugins are not found; run 'make' or install it")
    _check_port(settings)
    base = _base(settings)
    size = base.adapter_bytes(settings.max_lora_rank) if base else 32 << 20
    tiers = size_tiers(settings.max_loras, settings.max_cpu_loras, size, machine.memory)
    return settings.model_copy(
        update={"max_cpu_loras": tiers.memory, "adapters_dir": settings.adapters_dir.resolve()},
    )


def _check_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            text = f"port {settings.port} on {settings.host} cannot be used ({error.strerror}); choose SERVER_PORT"
            raise PrepareError(text) from error


def _base(settings: Settings) -> BaseModel | None:
    """The base where it is at hand already; None when a hub still has to deliver it."""
    folder = find_base_folder(settings.model)
    if folder is None:
        return None
    try:
        return read_base(folder, settings.model, settings.served_name)
    except (OSError, ValueError, KeyError, json.JSONDecodeError) as error:
        raise PrepareError(f"SERVER_MODEL {settings.model} is not a usable model: {error}") from error

"""What must hold before vLLM starts: each failure is one line, found before anything long begins."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from adapters.registry.base_model import BaseModel, read_base
from server.base_folder import find_base_folder
from server.choice import Choice
from server.fit import GIB, TooLittle
from server.machine import Machine
from server.memory import Memory, fitted
from server.settings import Settings


class PrepareError(Exception):
    """One line that says what is wrong and what to do."""


def prepare(settings: Settings, machine: Machine) -> Memory:
    """Check model, port, folders and memory; fill in the sizes that come from the machine. Raises PrepareError."""
    if not settings.model:
        raise PrepareError("no base model: set SERVER_MODEL to a folder or a hub name")
    if settings.names_registry and not settings.adapters_dir.is_dir():
        raise PrepareError(f"SERVER_ADAPTERS_DIR {settings.adapters_dir} is not a folder")
    if settings.keys_file is not None and not settings.keys_file.is_file():
        raise PrepareError(f"SERVER_KEYS_FILE {settings.keys_file} is not a file; make one with 'keys add'")
    if "cni_routes" not in machine.plugins:
        raise PrepareError("the project is not installed: its vLLM plugins are not found; run 'make' or install it")
    _check_port(settings)
    folder = find_base_folder(settings.model)
    base = _base(settings, folder)
    memory = _memory(settings, machine, folder, base)
    adapters = settings.lora_memory_gib or memory.adapters / GIB
    more = {"lora_memory_gib": adapters, "adapters_dir": settings.adapters_dir.resolve()}
    choices = (*memory.choices, _adapters(settings, adapters))
    return replace(memory, settings=memory.settings.model_copy(update=more), choices=choices)


def _adapters(settings: Settings, gib: float) -> Choice:
    name = "adapters in memory"
    if settings.max_cpu_loras:
        return Choice(name, str(settings.max_cpu_loras), "set by SERVER_MAX_CPU_LORAS")
    why = (
        "set by SERVER_LORA_MEMORY_GIB" if settings.lora_memory_gib else "a tenth of what is at hand, if all else fits"
    )
    return Choice(name, f"what {gib:.2f} GiB hold", f"{why}; then it follows what is free")


def _check_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            text = f"port {settings.port} on {settings.host} cannot be used ({error.strerror}); choose SERVER_PORT"
            raise PrepareError(text) from error


def _base(settings: Settings, folder: Path | None) -> BaseModel | None:
    """The base where it is at hand already; None when a hub still has to deliver it."""
    if folder is None:
        return None
    with _usable(settings):
        return read_base(folder, settings.model, settings.served_name)


def _memory(settings: Settings, machine: Machine, folder: Path | None, base: BaseModel | None) -> Memory:
    try:
        with _usable(settings):
            return fitted(settings, machine, folder, base)
    except TooLittle as error:
        raise PrepareError(str(error)) from error


@contextmanager
def _usable(settings: Settings) -> Iterator[None]:
    """What a folder that is no model raises, as one line."""
    try:
        yield
    except (OSError, ValueError, KeyError, json.JSONDecodeError) as error:
        raise PrepareError(f"SERVER_MODEL {settings.model} is not a usable model: {error}") from error

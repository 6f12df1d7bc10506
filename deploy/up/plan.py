"""What `make up` was asked for, and where everything lies."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

EMBEDDED = "embedded"
# `auto`: eight bits where the processor computes with them, else as the base is. `bf16` here goes back for everybody.
DEFAULT_FORM = "auto"
VARIABLES = {
    "MODEL": "base model: `embedded` (default), a folder with config.json, or a hub's name",
    "ADAPTER": "for MODEL: a PEFT folder, an archive, a hub's name, or a name in the registry; the front's default",
    "CONTRACT": "how ADAPTER is asked (docs/how-to/own-adapter.md); by default its contract.yaml, else written",
    "SAME_BASE": "1: ADAPTER was trained on MODEL, whatever it calls its base",
    "BASE_FORM": "`bf16`: the base as it is; `int8`: its copy in eight bits, made once in the cache; "
    f"`auto`: int8 on a CPU with AVX512-VNNI, else bf16; {DEFAULT_FORM} by default",
    "DEVICE": "`cpu` or `gpu`; by default `gpu` where nvidia-smi is found",
    "SERVER_PORT": "of the model server, 8000",
    "FRONT_PORT": "of the OCR front, 8080",
    "XDG_CACHE_HOME": "where the converted base is kept, ~/.cache",
    "SERVER_MODEL": "the same as MODEL",
    "SERVER_MODEL_NAME": "the base's public name; by default its folder's or the hub's",
    "XDG_DATA_HOME": "below it lies the registry folder, cni-lora-server/registry; ~/.local/share",
    "SERVER_ADAPTERS_DIR": "another registry folder, used as it is: nothing that ships is put there",
    "SERVER_MAX_LORA_RANK": "by default as large as the adapters there need",
    "SERVER_RESERVE_GIB": "memory left to the OCR front; by default by its workers",
    "OCR_FRONT_MODEL": "the front's default model: ADAPTER, else the only adapter that can serve",
    "OCR_FRONT_OCR_WORKERS": "images read at once; by default a quarter of the cores",
}
_DEVICES = ("cpu", "gpu")
_FORMS = ("auto", "bf16", "int8")
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
    adapter: str = ""
    contract: str = ""
    same_base: bool = False
    adapters: Path | None = None
    form: str = DEFAULT_FORM

    @property
    def registry(self) -> Path:
        """The registry folder that the server serves. Where none was named, registry.py finds it first."""
        if self.adapters is None:
            raise Refusal("No registry folder was named or found: name one with SERVER_ADAPTERS_DIR.")
        return self.adapters

    @property
    def embedded(self) -> bool:
        """Whether the base is the one that is brought along."""
        return self.model == EMBEDDED

    @property
    def names_hub(self) -> bool:
        """Whether the base is a hub's."""
        return not self.embedded and not Path(self.model).expanduser().is_dir()

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
    form = given.get("BASE_FORM") or DEFAULT_FORM
    if form not in _FORMS:
        raise Refusal(f"BASE_FORM={form} is not one of {', '.join(_FORMS)}.")
    return Plan(
        root=root,
        cache=Path(given.get("XDG_CACHE_HOME") or Path.home() / ".cache"),
        model=_model(given),
        device=device,
        server_port=read_port("SERVER_PORT", 8000),
        front_port=read_port("FRONT_PORT", 8080),
        server_env=root / ".venv-server",
        front_env=root / ".venv-front",
        adapter=given.get("ADAPTER", ""),
        contract=given.get("CONTRACT", ""),
        same_base=given.get("SAME_BASE", "") not in {"", "0"},
        adapters=Path(given["SERVER_ADAPTERS_DIR"]).resolve() if given.get("SERVER_ADAPTERS_DIR") else None,
        form=form,
    )


def _model(given: Mapping[str, str]) -> str:
    """MODEL, or SERVER_MODEL as the server alone knows it: neither is passed over in silence."""
    ours, servers = given.get("MODEL", ""), given.get("SERVER_MODEL", "")
    if ours and servers and ours != servers:
        raise Refusal(f"MODEL={ours} and SERVER_MODEL={servers} name two bases: give one of them.")
    return ours or servers or EMBEDDED


def check_settings(given: Mapping[str, str], plan: Plan) -> None:
    """Settings of the services that this command decides itself. Raises Refusal for one that says otherwise."""
    decided = {"OCR_FRONT_PORT": ("FRONT_PORT", str(plan.front_port)), "OCR_FRONT_SERVER_URL": ("", plan.server_url)}
    for name, (ours, value) in decided.items():
        if given.get(name) and given[name].rstrip("/") != value:
            way_out = f"give {ours} instead" if ours else "leave it out, or start the front alone"
            raise Refusal(f"{name}={given[name]} is not what make up starts ({value}): {way_out}.")


def read_port(variable: str, default: int) -> int:
    """The port that a variable names. Raises Refusal where it names none."""
    given = os.environ.get(variable) or str(default)
    if not (given.isascii() and given.isdigit() and 1 <= int(given) <= _MOST_PORT):
        raise Refusal(f"{variable}={given} is not a port: give a number from 1 to {_MOST_PORT}.")
    return int(given)

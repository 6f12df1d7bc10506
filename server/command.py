"""The command line: options from the settings' own fields, then either explain or become vLLM."""

import argparse
import os
import sys
import time
from typing import NoReturn

from pydantic import ValidationError

from adapters.registry.errors import RegistryError
from adapters.registry.home import make_ready
from server import launch, machine, scratch
from server.keys_command import add_parser as add_keys_parser
from server.prepare import PrepareError, prepare
from server.quantized_base import check_quantized_base
from server.settings import Settings
from server.tuned import TunedError
from server.tuned import find as find_tuned
from server.vllm.contract import ContractError, installed
from server.vllm.start import check_before

_HIDDEN = {"started"}
_LEGACY_KV = "VLLM_CPU_KVCACHE_SPACE"


def build_parser() -> argparse.ArgumentParser:
    """`python -m server [options] [serve|explain|keys]`."""
    parser = argparse.ArgumentParser(
        prog="python -m server",
        description="Serve a base model and its LoRA adapters. Every option is also an environment variable SERVER_*.",
    )
    for name, field in Settings.model_fields.items():
        if name not in _HIDDEN:
            value = field.get_default(call_default_factory=True)
            default = "" if value in (None, "") else f" (default {value})"
            parser.add_argument(f"--{name.replace('_', '-')}", help=f"{field.description}{default}".replace("%", "%%"))
    commands = parser.add_subparsers(title="commands")
    commands.add_parser("serve", help="start the server (the default)").set_defaults(run=serve)
    commands.add_parser("explain", help="print each choice of the launch and why").set_defaults(run=explain)
    add_keys_parser(commands)
    parser.set_defaults(run=serve)
    return parser


def read_settings(arguments: argparse.Namespace) -> Settings:
    """Options over environment over defaults. A bad value stops with one line that names it."""
    given = {name: value for name in Settings.model_fields if (value := getattr(arguments, name, None)) is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = "_".join(str(part) for part in first["loc"])
        stop(f"{f'SERVER_{where.upper()}: ' if where else ''}{first['msg'].removeprefix('Value error, ')}")


def explain(arguments: argparse.Namespace) -> int:
    """Print the launch without starting it."""
    print_choices(_plan(read_settings(arguments)))
    return 0


def serve(arguments: argparse.Namespace) -> int:
    """Become vLLM's server; returns only when it could not."""
    settings = read_settings(arguments)
    planned = _plan(settings.model_copy(update={"started": time.time()}))
    print_choices(planned)
    _make_registry(settings)
    say("starting vLLM: loading the base model (half a minute on two cores)")
    sys.stdout.flush()
    # vLLM would let its older variable for the KV cache outrank what was fitted.
    inherited = {name: value for name, value in os.environ.items() if name != _LEGACY_KV}
    temporary = scratch.environment(scratch.claim(), inherited)
    os.execve(planned.command[0], planned.command, {**inherited, **temporary, **planned.environment})


def _make_registry(settings: Settings) -> None:
    """Where nobody named a folder: the user's own, with the shipped adapters in it."""
    if settings.names_registry:
        return
    try:
        home = make_ready(settings.adapters_dir)
    except RegistryError as error:
        stop(str(error).removesuffix("."))
    for line in home.told:
        say(line)


def _plan(settings: Settings) -> launch.Launch:
    facts = machine.look()
    try:
        memory = prepare(_with_legacy(settings), facts)
        settings = memory.settings
        warning = check_quantized_base(settings.model)
    except PrepareError as error:
        stop(str(error))
    if warning:
        say(warning)
    if (other := os.environ.get("MODEL")) and other != settings.model:
        say(f"MODEL={other} is for 'make up'; this server serves SERVER_MODEL={settings.model}")
    try:
        tuned = find_tuned(settings.tuned_profile, facts)
    except TunedError as error:
        stop(str(error))
    planned = launch.plan(settings, facts, launch.is_folder(settings.model), os.environ, tuned, memory.choices)
    try:
        check_before(settings, {**os.environ, **planned.environment}, installed(), facts.cpu_only)
    except ContractError as error:
        stop(str(error).removesuffix("."))
    return planned


def _with_legacy(settings: Settings) -> Settings:
    """vLLM's own variable for the KV cache, where ours is not set: what is exported is not silently outranked."""
    exported = os.environ.get(_LEGACY_KV, "")
    if settings.kv_cache_gib or not exported.isdigit():
        return settings
    return settings.model_copy(update={"kv_cache_gib": float(exported)})


def print_choices(planned: launch.Launch) -> None:
    """One line a choice: name, value, reason."""
    for choice in planned.choices:
        say(f"{choice.name} = {choice.value}  ({choice.why})")
    say("command: " + " ".join(planned.command))


def say(line: str) -> None:
    """A progress line for a human."""
    sys.stdout.write(f"[server] {line}\n")


def stop(reason: str) -> NoReturn:
    """End with one line and exit code 2."""
    sys.stderr.write(f"[server] cannot start: {reason}\n")
    raise SystemExit(2)

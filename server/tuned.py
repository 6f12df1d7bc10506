"""What `make bench-tune` measured to be faster on this machine: it replaces the launch's own choices."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.machine import Machine

OFF = "none"
_LIBRARIES = frozenset({"tcmalloc", "libiomp5"})
_NUMBER, _NOTHING = re.compile(r"[0-9]{1,7}"), re.compile(r"")
# A profile tunes; it cannot open a port, change a model or an answer, or load a library of its own. What values may be:
_OPTIONS = {
    "--block-size": _NUMBER,
    "--enforce-eager": _NOTHING,
    "--max-num-batched-tokens": _NUMBER,
    "--no-enable-prefix-caching": _NOTHING,
    "--distributed-executor-backend": re.compile(r"mp|uni"),
}
# What bench-tune measures and never writes into this machine's own profile; only a file that is named may hold it.
_MEASURED = {
    "--speculative-config": re.compile(r'\{"method":"(ngram|suffix)"(,"[a-z_]+":\d+)*\}'),
    "--lora-target-modules": re.compile(r"[a-z_ ]{1,200}"),
}
_SWITCH = re.compile(r"[01]")
_SWITCHES = ("KERNEL", "LINEAR", "STEP", "PROMPTS", "EAGER_OPS", "GREEDY")
_VARIABLES = {
    "KMP_BLOCKTIME": re.compile(r"[0-9]{1,6}|infinite"),
    "VLLM_CPU_OMP_THREADS_BIND": re.compile(r"auto|nobind|[0-9,|\-]{1,500}"),
    **{f"CNI_CPU_LORA_{name}": _SWITCH for name in _SWITCHES},
}


class TunedError(Exception):
    """One line that names the profile and the way out."""


@dataclass(frozen=True)
class Tuned:
    """`options` of vLLM (a value's words follow it), variables, and the libraries to preload (None: all found)."""

    path: Path
    options: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    preload: frozenset[str] | None = None


def find(wanted: str, machine: Machine) -> Tuned | None:
    """The profile named by the setting, or this machine's own where there is one. Raises TunedError."""
    if wanted == OFF:
        return None
    path = Path(wanted) if wanted else machine.profile
    if not wanted and not path.is_file():
        return None
    try:
        found = json.loads(path.read_text())
        return _checked(path, found, bool(wanted))
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        text = f"tuned profile {path} cannot be used ({error}); make it anew (make bench-tune) or set"
        raise TunedError(f"{text} SERVER_TUNED_PROFILE={OFF}") from error


def _checked(path: Path, found: dict[str, Any], named: bool) -> Tuned:
    """`named`: the operator named the file; it was not found where this machine's own would lie."""
    changes = found["changes"]
    options, environment = (
        {str(name): str(value) for name, value in changes.get(part, {}).items()} for part in ("options", "environment")
    )
    preload = changes.get("preload")
    allowed = {**_OPTIONS, **(_MEASURED if named else {}), **_VARIABLES}
    for name, value in (*options.items(), *environment.items()):
        if name not in allowed or (name in _VARIABLES) is not (name in environment):
            raise ValueError(f"it names {name}")
        if not allowed[name].fullmatch(value):
            raise ValueError(f"it gives {name} a value that no profile may have")
    if unknown := set(preload or ()) - _LIBRARIES:
        raise ValueError(f"it names {', '.join(sorted(unknown))}")
    return Tuned(path, options, environment, None if preload is None else frozenset(preload))

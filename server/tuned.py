"""What `make bench-tune` measured to be faster on this machine: it replaces the launch's own choices."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.machine import Machine

OFF = "none"
_LIBRARIES = frozenset({"tcmalloc", "libiomp5"})
# A profile tunes; it cannot open a port, change a model or load a library of its own.
_OPTIONS = frozenset(
    {
        "--block-size",
        "--distributed-executor-backend",
        "--enforce-eager",
        "--lora-target-modules",
        "--max-num-batched-tokens",
        "--no-enable-prefix-caching",
        "--speculative-config",
    }
)
_VARIABLES = frozenset({"KMP_BLOCKTIME", "VLLM_CPU_OMP_THREADS_BIND"})
_VARIABLE_PREFIX = "CNI_CPU_LORA_"


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
        return _checked(path, found)
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        text = f"tuned profile {path} cannot be used ({error}); make it anew (make bench-tune) or set"
        raise TunedError(f"{text} SERVER_TUNED_PROFILE={OFF}") from error


def _checked(path: Path, found: dict[str, Any]) -> Tuned:
    changes = found["changes"]
    options, environment = changes.get("options", {}), changes.get("environment", {})
    preload = changes.get("preload")
    unknown = {name for name in options if name not in _OPTIONS}
    unknown |= {name for name in environment if name not in _VARIABLES and not name.startswith(_VARIABLE_PREFIX)}
    unknown |= set(preload or ()) - _LIBRARIES
    if unknown:
        raise ValueError(f"it names {', '.join(sorted(unknown))}")
    texts = [{str(name): str(value) for name, value in part.items()} for part in (options, environment)]
    return Tuned(path, texts[0], texts[1], None if preload is None else frozenset(preload))

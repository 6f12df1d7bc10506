"""The user's own adapter: adopted before the services start, made the front's default, named in the greeting."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.up.plan import Plan, Refusal
from deploy.up.screen import Phase

_SHIPPED = "cni"
_FIRST_DOCUMENT = "cni-2018-recto"
_RANKS = (16, 32, 64, 128, 256, 320, 512)  # above the server's default of 16, those that it takes


@dataclass(frozen=True)
class Served:
    """What will be served: `default` is the front's model, `others` can be asked too, `refused` cannot.

    `document`: one that the default model was trained for; `rank`: the largest among them.
    """

    default: str
    document: str = _FIRST_DOCUMENT
    others: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    rank: int = 0


def adopt(plan: Plan, base: str) -> str | None:
    """Make a revision of ADAPTER for the original `base` and let its name mean it; the name.

    None where none was asked for. Raises Refusal.
    """
    if not plan.adapter:
        return None
    lying = plan.registry / plan.adapter
    if "/" not in plan.adapter and lying.is_dir() and not Path(plan.adapter).exists():
        return plan.adapter  # a name of the registry
    source = Path(plan.adapter).expanduser()
    if source.is_dir() and source.resolve().parent == plan.registry.resolve() and not plan.contract:
        return source.resolve().name  # lies in the registry and is served from there
    options = ["--switch", "--json", *(["--contract", plan.contract] if plan.contract else [])]
    options += ["--same-base"] if plan.same_base else []
    with Phase(f"adapter {plan.adapter}"):
        done = _adapters(plan, "adopt", base, str(source) if source.exists() else plan.adapter, *options)
    if done.returncode:
        raise Refusal(f"ADAPTER={plan.adapter}: {_in_our_words(_last(done.stderr))}")
    made: dict[str, Any] = json.loads(done.stdout)
    told = f"  {made['adapter']}@{made['revision']}, rank {made['rank']}"
    told += f"; contract: {made['contract']}" if made["contract"] else ""
    print(told + (f"; left out: {', '.join(made['left_out'])}" if made["left_out"] else ""), flush=True)
    return str(made["adapter"])


def _in_our_words(sentence: str) -> str:
    """Options of `adapters adopt` as the variables that `make up` takes."""
    return sentence.replace("with --base", "with MODEL=").replace("--same-base", "SAME_BASE=1")


def find_served(plan: Plan, base: str, base_name: str, adopted: str | None) -> Served:
    """Which models there will be. Raises Refusal where the one that was asked for cannot serve."""
    done = _adapters(plan, "serving", base)
    if done.returncode:
        raise Refusal(_last(done.stderr))
    return choose(json.loads(done.stdout), base_name, adopted, os.environ.get("OCR_FRONT_MODEL"))


def choose(found: dict[str, dict[str, Any]], base_name: str, adopted: str | None, wanted: str | None) -> Served:
    """`found`: what `adapters serving` says; `wanted`: OCR_FRONT_MODEL, which outranks all.

    The adopted adapter, or else the only one that can serve, is the default.
    With several the shipped one, else the first by name; without any the base itself.
    """
    able = sorted(name for name, adapter in found.items() if adapter["refused"] is None)
    refused = {name: str(adapter["refused"]) for name, adapter in found.items() if adapter["refused"] is not None}
    if adopted in refused:
        raise Refusal(f"ADAPTER={adopted} cannot serve on {base_name}: {refused[adopted]}")
    default = wanted or adopted
    if not default:
        default = able[0] if len(able) == 1 else _SHIPPED if _SHIPPED in able else (*able, base_name)[0]
    documents = found.get(default.partition("@")[0], {}).get("documents", [])
    document = _FIRST_DOCUMENT if _FIRST_DOCUMENT in documents or not documents else documents[0]
    others = tuple(name for name in (*able, base_name) if name != default)
    rank = max((int(found[name]["rank"]) for name in able), default=0)
    return Served(default, document, others, refused, rank)


def server_rank(served: Served) -> dict[str, str]:
    """The server's setting for adapters of a larger rank than it takes by itself."""
    if served.rank <= _RANKS[0] or os.environ.get("SERVER_MAX_LORA_RANK"):
        return {}
    return {"SERVER_MAX_LORA_RANK": str(next(rank for rank in _RANKS if rank >= served.rank))}


def _adapters(plan: Plan, command: str, base: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    python = str(plan.server_env / "bin/python")
    named = plan.model if plan.names_hub or plan.embedded else base
    words = [python, "-m", "adapters", command, "--base", named, "--registry", str(plan.registry), *arguments]
    path = os.pathsep.join([str(plan.server_env / "bin"), os.environ["PATH"]])
    return subprocess.run(
        words, cwd=plan.root, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
    )


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["it failed without a word"])[-1]

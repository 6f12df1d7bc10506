"""What `make cluster` was asked for: how many servers, where they listen, what each may take of the machine."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.up.plan import VARIABLES as OF_ONE
from deploy.up.plan import Plan, Refusal, read_plan

VARIABLES = {
    "N": "number of model servers, 3",
    "SERVER_PORT": "of the router, 8000; the servers and the router's metrics have the ports that follow",
    "ROUTER_KEY_FILE": "a file that holds a key with the scope `feedback`, where the servers take keys",
    "ADAPTERS_DIR": "the registry folder that all servers share; by default SERVER_ADAPTERS_DIR, else your own",
    "SERVER_MEMORY_GIB": "memory of each server; by default its share of what is free",
    **{name: OF_ONE[name] for name in ("MODEL", "BASE_FORM", "DEVICE", "XDG_CACHE_HOME", "XDG_DATA_HOME")},
}
_MOST = 16
_GIB = 1 << 30
_FRONT_GIB = 1.25


@dataclass(frozen=True)
class ClusterPlan:
    """`up`: the plan of one service, whose server port is the router's here; the servers follow it.

    `router_key`: by which the router passes on the front's reports, empty where the servers take no keys.
    """

    up: Plan
    count: int
    router_env: Path
    router_key: str = ""

    @property
    def adapters(self) -> Path:
        """The registry folder that all servers share."""
        return self.up.registry

    @property
    def router_port(self) -> int:
        """Where clients go."""
        return self.up.server_port

    @property
    def metrics_port(self) -> int:
        """The router's own Prometheus page, after the last server."""
        return self.up.server_port + self.count + 1

    @property
    def logs(self) -> Path:
        """Of this cluster; two may run side by side."""
        return self.up.root / "runs" / "cluster" / str(self.router_port)

    def port(self, number: int) -> int:
        """Of server `number`, from 1."""
        return self.router_port + number

    def url(self, number: int) -> str:
        """Of server `number`, from 1."""
        return f"http://127.0.0.1:{self.port(number)}"


def read_cluster_plan(root: Path) -> ClusterPlan:
    """From the environment that the Makefile sets. Raises Refusal for a number of servers that makes no sense."""
    given = os.environ.get("N") or "3"
    if not given.isdigit() or not 1 <= int(given) <= _MOST:
        raise Refusal(f"N={given} is not a number of servers from 1 to {_MOST}: make cluster N=3")
    # No front is started here, so its environment and its port need not be there.
    up = read_plan(root)
    shared = os.environ.get("ADAPTERS_DIR")
    up = replace(up, front_env=up.server_env, adapters=Path(shared).resolve() if shared else up.adapters)
    return ClusterPlan(up, int(given), root / ".venv-router", _router_key(os.environ.get("ROUTER_KEY_FILE")))


def _router_key(file: str | None) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip() if file else ""
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"ROUTER_KEY_FILE={file} cannot be read ({type(error).__name__}).") from error


def cores_of(number: int, count: int, cores: list[int]) -> list[int]:
    """The cores of server `number` (from 1) of `count`: a share of its own where there are enough.

    Servers that share cores wait for each other at OpenMP's barriers (docs/lab-notes.md).
    """
    if count > len(cores):
        return [cores[(number - 1) % len(cores)]]
    return cores[number - 1 :: count]


def memory_gib(available: int, count: int) -> float:
    """What each of `count` servers may take of `available` bytes, in GiB: an equal share of all but the front's."""
    return round(max(1.0, available / _GIB - _FRONT_GIB) / count, 2)

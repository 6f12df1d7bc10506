"""The model servers of a cluster: started together, restarted one after another, started again when one ends."""

import os
import time
from collections.abc import Callable

from deploy.cluster.plan import ClusterPlan, cores_of, memory_gib
from deploy.up.plan import Refusal
from deploy.up.preflight import available_memory
from deploy.up.services import Service, wait_ready

# How long the router may take to see that a server is ready again, seconds: its own interval, twice.
_SEEN_AGAIN = 2.0
_AFTER_A_FAILURE = 5.0


def servers(plan: ClusterPlan, base: str, name: str) -> list[Service]:
    """One service for each server; nothing is started."""
    cores = sorted(os.sched_getaffinity(0))
    memory = memory_gib(available_memory(), plan.count)
    return [_server(plan, base, name, number, cores, memory) for number in range(1, plan.count + 1)]


def _server(plan: ClusterPlan, base: str, name: str, number: int, cores: list[int], memory: float) -> Service:
    own = ",".join(str(core) for core in cores_of(number, plan.count, cores))
    command = ["taskset", "-c", own, str(plan.up.server_env / "bin/python"), "-m", "server"]
    command += ["--model", base, "--model-name", name, "--port", str(plan.port(number))]
    command += ["--adapters-dir", str(plan.adapters)]
    # What the caller set for one server holds for each of them; the audit log is shared like the registry.
    environment = {"SERVER_MEMORY_GIB": os.environ.get("SERVER_MEMORY_GIB") or str(memory)}
    return Service(f"server {number}", command, plan.logs / f"server-{number}.log", environment)


def restart_each(plan: ClusterPlan, services: list[Service], say: Callable[[str], None]) -> None:
    """One after another: drain, end, start, wait until it is ready and until the router knows."""
    for number, service in enumerate(services, 1):
        say(f"{service.name} drains and ends")
        service.stop()
        start_again(plan, number, service, say)


def start_again(plan: ClusterPlan, number: int, service: Service, say: Callable[[str], None]) -> None:
    """Start one that has ended, and wait for it."""
    service.start()
    try:
        wait_ready(service, f"{plan.url(number)}/ready", lambda _: None)
    except Refusal as refusal:
        # The others serve on; it is tried again at the next look.
        say(str(refusal))
        time.sleep(_AFTER_A_FAILURE)
        return
    time.sleep(_SEEN_AGAIN)
    say(f"{service.name} is ready again, pid {service.process.pid if service.process else 0}")

"""`make cluster N=3`: check, install, start the servers, then the router; follow them until Ctrl-C."""

import contextlib
import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

from deploy.cluster.plan import VARIABLES, ClusterPlan, read_cluster_plan
from deploy.cluster.replicas import restart_each, servers, start_again
from deploy.cluster.router import PLACEMENT_HEADER, router_command
from deploy.up import environment, preflight
from deploy.up.__main__ import model_name
from deploy.up.base import make_base
from deploy.up.plan import Refusal
from deploy.up.registry import with_registry
from deploy.up.screen import Phase
from deploy.up.services import Service, wait_ready
from deploy.up.terminal import foreground
from deploy.up.usage import INSTALLATION, SERVICES, take_none

_LOOK_EVERY = 0.5  # seconds
_WHAT = "Start N model servers that share one registry folder, and vllm-router before them; Ctrl-C ends all."
_SERVER_GIB = 3  # of one with the embedded base and the least that the memory fit takes


def main() -> int:
    """0 after Ctrl-C, 1 when something refused or the router ended by itself."""
    read = {**VARIABLES, **INSTALLATION, "SERVER_*": SERVICES["SERVER_*"]}
    take_none("deploy.cluster", "make cluster", _WHAT, read, sys.argv[1:])
    rolling = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _as_interrupt)
    signal.signal(signal.SIGUSR1, lambda *_: rolling.set())
    try:
        plan = read_cluster_plan(Path(__file__).resolve().parents[2])
        with foreground():
            _check(plan)
            _install(plan)
            plan = replace(plan, up=with_registry(plan.up))
            return _serve(plan, make_base(plan.up).folder, rolling)
    except Refusal as refusal:
        print(f"make cluster: {refusal}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped before the servers were ready", file=sys.stderr)
        return 0


def _as_interrupt(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def _check(plan: ClusterPlan) -> None:
    preflight.check_python()
    preflight.check_port("router", plan.router_port, "SERVER_PORT", "make cluster")
    for number in range(1, plan.count + 1):
        preflight.check_port(f"server {number}", plan.port(number), "SERVER_PORT", "make cluster")
    preflight.check_port("router's metrics", plan.metrics_port, "SERVER_PORT", "make cluster")
    preflight.check_memory(_SERVER_GIB * plan.count)
    preflight.check_model(plan.up)


def _install(plan: ClusterPlan) -> None:
    locks = plan.up.root / "requirements"
    environment.make(plan.up.root, plan.up.server_env, locks / f"{plan.up.device}.lock")
    environment.make(plan.up.root, plan.router_env, locks / "router.lock")


def _serve(plan: ClusterPlan, base: str, rolling: threading.Event) -> int:
    replicas = servers(plan, base, model_name(plan.up))
    urls = [plan.url(number) for number in range(1, plan.count + 1)]
    binary = plan.router_env / "bin/vllm-router"
    command = router_command(binary, plan.router_port, plan.metrics_port, urls, plan.router_key)
    router = Service("router", command, plan.logs / "router.log")
    try:
        for replica in replicas:
            replica.start()
        with Phase(f"{plan.count} model servers", expected=45 * plan.count) as phase:
            for number, replica in enumerate(replicas, 1):
                wait_ready(replica, f"{plan.url(number)}/ready", phase.say)
        router.start()
        with Phase("router", expected=3) as phase:
            wait_ready(router, f"{plan.up.server_url}/health", phase.say)
        _greet(plan, replicas)
        return _follow(plan, router, replicas, rolling)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 0
    finally:
        _stop([*replicas, router])


def _follow(plan: ClusterPlan, router: Service, replicas: list[Service], rolling: threading.Event) -> int:
    """Until the router ends: a server that ended is started again, and all of them one by one when asked."""
    while router.running:
        if rolling.wait(_LOOK_EVERY):
            rolling.clear()
            restart_each(plan, replicas, _say)
            _say("every server was restarted")
        for number, replica in enumerate(replicas, 1):
            if not replica.running:
                _say(f"{replica.name} ended by itself and is started again; its last words:\n{replica.last_words()}")
                replica.end_children()
                start_again(plan, number, replica, _say)
    _say(f"the router ended by itself; its log is {router.log}:\n{router.last_words()}")
    return 1


def _stop(services: list[Service]) -> None:
    """The router first, then all servers at once. A second Ctrl-C does not break it off."""
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Phase("stopping"):
        services[-1].stop()
        for service in services[:-1]:
            service.ask_to_stop()
        for service in services[:-1]:
            service.stop()


def _greet(plan: ClusterPlan, replicas: list[Service]) -> None:
    lines = [f"  router        {plan.up.server_url}"]
    for number, replica in enumerate(replicas, 1):
        lines.append(f"  server {number}      {plan.url(number)}  pid {replica.process.pid if replica.process else 0}")
    print(
        "\n"
        + "\n".join(lines)
        + f"\n  metrics       http://127.0.0.1:{plan.metrics_port}/metrics (the router's own)\n\n"
        f"  Requests go to {plan.up.server_url} with the header '{PLACEMENT_HEADER}: <model>'; the front sends it.\n"
        f"  Adapters are changed on any one server: all of them follow {plan.adapters}.\n"
        f"  kill -USR1 {os.getpid()} restarts the servers one after another; Ctrl-C stops all.\n",
        flush=True,
    )


def _say(line: str) -> None:
    print(f"  {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

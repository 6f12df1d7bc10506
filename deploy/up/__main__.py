"""`make up`: check, install, prepare the base, start both services, wait for Ctrl-C."""

import contextlib
import os
import shlex
import signal
import sys
import time
from pathlib import Path

from deploy.up import environment, preflight
from deploy.up.base import Base, make_base
from deploy.up.memory import check_fit, reserve
from deploy.up.own import Served, adopt, find_served, server_rank
from deploy.up.plan import VARIABLES, Plan, Refusal, read_plan
from deploy.up.registry import with_registry
from deploy.up.screen import Phase
from deploy.up.services import Service, wait_ready
from deploy.up.terminal import foreground
from deploy.up.usage import INSTALLATION, SERVICES, take_none

_SAMPLE = "docs/sample-2018-recto.jpg"
_WHAT = (
    "Install what is missing, start the model server and the OCR front, wait until both are ready; Ctrl-C ends them."
)


def main() -> int:
    """0 after Ctrl-C, 1 when something refused or ended by itself."""
    take_none("deploy.up", "make up", _WHAT, {**VARIABLES, **INSTALLATION, **SERVICES}, sys.argv[1:])
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _as_interrupt)
    try:
        plan = read_plan(Path(__file__).resolve().parents[2])
        with foreground():
            preflight.check(plan)
            _install(plan)
            plan = with_registry(plan)
            return _serve(plan, make_base(plan))
    except Refusal as refusal:
        print(f"make up: {refusal}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped before the services were ready; run make up again to go on", file=sys.stderr)
        return 0


def _as_interrupt(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def _install(plan: Plan) -> None:
    locks = plan.root / "requirements"
    if not (plan.installed and plan.base_ready):
        environment.reach_index(plan.root)
    environment.make(plan.root, plan.server_env, locks / f"{plan.device}.lock")
    environment.make(plan.root, plan.front_env, locks / "front.lock")


def _serve(plan: Plan, base: Base) -> int:
    """Start both, wait until they are ready, then until somebody ends one or all of it."""
    name = model_name(plan)
    environment = reserve()
    print(f"  {check_fit(plan, _server(plan, base.folder, name), environment)}", flush=True)
    served = find_served(plan, base.original, name, adopt(plan, base.original))
    if rank := server_rank(served):
        environment |= rank
        check_fit(plan, _server(plan, base.folder, name), environment)
    services = _services(plan, base.folder, name, served, environment)
    try:
        for service in services:
            service.start()
        with Phase("model server", expected=45) as phase:
            wait_ready(services[0], f"{plan.server_url}/ready", phase.say)
        with Phase("OCR front", expected=10) as phase:
            wait_ready(services[1], f"{plan.front_url}/ready", phase.say)
        _greet(plan, served)
        while all(service.running for service in services):
            time.sleep(0.5)
        ended = next(service for service in services if not service.running)
        print(
            f"make up: the {ended.name} ended by itself; its log is {ended.log}:\n{ended.last_words()}", file=sys.stderr
        )
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 0
    finally:
        _stop(services)


def model_name(plan: Plan) -> str:
    """The name under which the base is served."""
    if given := os.environ.get("SERVER_MODEL_NAME"):
        return given
    if plan.embedded:
        return "SmolLM2-135M-Instruct"
    return plan.model if plan.names_hub else Path(plan.model).expanduser().resolve().name


def _server(plan: Plan, base: str, name: str) -> list[str]:
    server = [str(plan.server_env / "bin/python"), "-m", "server", "--model", base, "--model-name", name]
    return [*server, "--port", str(plan.server_port), "--adapters-dir", str(plan.registry)]


def _services(plan: Plan, base: str, name: str, served: Served, environment: dict[str, str]) -> list[Service]:
    logs = plan.root / "runs" / "up" / str(plan.server_port)  # two of us may run side by side
    front = [str(plan.front_env / "bin/python"), "-m", "ocr_frontend", "serve"]
    front += ["--port", str(plan.front_port), "--server-url", plan.server_url]
    return [
        Service("model server", _server(plan, base, name), logs / "server.log", environment),
        Service("OCR front", front, logs / "front.log", {"OCR_FRONT_MODEL": served.default}),
    ]


def _stop(services: list[Service]) -> None:
    """The front first, so that no card meets a server that is going away. A second Ctrl-C does not break it off."""
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Phase("stopping"):
        for service in reversed(services):
            service.stop()


def _greet(plan: Plan, served: Served) -> None:
    refused = "".join(f"\n  not served    {name}: {why}" for name, why in served.refused.items())
    others = f"; others by -F model=NAME: {', '.join(served.others)}" if served.others else ""
    print(
        f"\n  model server  {plan.server_url}/v1/models\n"
        f"  OCR front     {plan.front_url}/\n"
        f"  registry      {plan.registry}\n"
        f"  model         {served.default}{others}{refused}\n\n"
        f"  {curl(plan, served)}\n\n"
        "  Ctrl-C stops both.\n",
        flush=True,
    )


def curl(plan: Plan, served: Served) -> str:
    """A line that works as it is printed: the front's default model, and a document that it was trained for."""
    image = shlex.quote(f"image=@{plan.root / _SAMPLE}")
    return f"curl -s -F {image} -F document={shlex.quote(served.document)} {plan.front_url}/v1/extract"


if __name__ == "__main__":
    sys.exit(main())

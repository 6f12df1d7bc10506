"""`make monitor`: start Prometheus (and Grafana) beside running services, print the addresses, end with Ctrl-C."""

import contextlib
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from deploy.monitor.configuration import grafana_environment, write_grafana, write_prometheus
from deploy.monitor.plan import VARIABLES, MonitorPlan, read_monitor_plan
from deploy.up.plan import Refusal
from deploy.up.preflight import check_port
from deploy.up.screen import Phase
from deploy.up.services import Service, wait_ready
from deploy.up.terminal import foreground
from deploy.up.usage import take_none

_BOARDS = {"service": "Service", "adapters": "Adapters", "engine": "Engine and machine"}
_WHAT = "Start Prometheus, and Grafana where it is installed, beside services that run already; Ctrl-C ends them."


def main() -> int:
    """0 after Ctrl-C, 1 when something refused or ended by itself."""
    take_none("deploy.monitor", "make monitor", _WHAT, VARIABLES, sys.argv[1:])
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _as_interrupt)
    try:
        plan = read_monitor_plan(Path(__file__).resolve().parents[2])
        check_port("Prometheus", plan.port, "PROMETHEUS_PORT", "make monitor")
        if plan.grafana:
            check_port("Grafana", plan.grafana_port, "GRAFANA_PORT", "make monitor")
        # What they record is for looking, not for keeping: it goes with them.
        folder = Path(tempfile.mkdtemp(prefix="cni-monitor-"))
        try:
            with foreground():
                return _serve(plan, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except Refusal as refusal:
        print(f"make monitor: {refusal}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _as_interrupt(signum: int, frame: object) -> None:
    raise KeyboardInterrupt


def _serve(plan: MonitorPlan, folder: Path) -> int:
    services = [_prometheus(plan, folder)]
    if plan.grafana:
        services.append(_grafana(plan, folder))
    try:
        for service in services:
            service.start()
        with Phase("Prometheus", expected=3) as phase:
            wait_ready(services[0], f"{plan.url}/-/ready", phase.say)
        if plan.grafana:
            with Phase("Grafana", expected=15) as phase:
                wait_ready(services[1], f"http://127.0.0.1:{plan.grafana_port}/api/health", phase.say)
        _greet(plan)
        while all(service.running for service in services):
            time.sleep(0.5)
        ended = next(service for service in services if not service.running)
        print(f"make monitor: {ended.name} ended by itself:\n{ended.last_words()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 0
    finally:
        with contextlib.suppress(ValueError):
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        with Phase("stopping"):
            for service in services:
                service.stop()


def _prometheus(plan: MonitorPlan, folder: Path) -> Service:
    own = plan.url.removeprefix("http://")
    configuration = write_prometheus(plan.root, folder / "prometheus", plan.targets, own, plan.key_file)
    command = [plan.prometheus, f"--config.file={configuration}", f"--web.listen-address={own}"]
    command.append(f"--storage.tsdb.path={folder / 'prometheus/data'}")
    command += [f"--web.external-url={plan.url}", f"--web.console.templates={plan.root / 'docs/runbooks'}"]
    return Service("Prometheus", command, folder / "prometheus.log")


def _grafana(plan: MonitorPlan, folder: Path) -> Service:
    provisioning = write_grafana(plan.root, folder / "grafana/provisioning", plan.url)
    environment = grafana_environment(plan.root, folder / "grafana", provisioning, plan.grafana_port)
    binary = str(plan.grafana)
    # `grafana-server` is the older name of `grafana server`.
    command = [binary] if binary.endswith("-server") else [binary, "server"]
    return Service("Grafana", [*command, "--homepath", plan.grafana_home], folder / "grafana.log", environment)


def _greet(plan: MonitorPlan) -> None:
    watched = "\n".join(f"    {job:<12} {', '.join(addresses)}" for job, addresses in plan.targets.items())
    print(
        f"\n  Prometheus  {plan.url}/targets  (alerts: {plan.url}/alerts)\n{watched}\n\n{_boards(plan)}"
        "\n  Ctrl-C ends it; nothing is kept.\n",
        flush=True,
    )


def _boards(plan: MonitorPlan) -> str:
    if plan.grafana:
        lines = [f"  Grafana     http://127.0.0.1:{plan.grafana_port}/dashboards"]
        return "\n".join([*lines, *(f"    {title}" for title in _BOARDS.values())]) + "\n"
    front = plan.targets["cni-front"][0]
    return f"  Grafana is not installed; the front has a small page of its own: http://{front}/dashboard\n"


if __name__ == "__main__":
    sys.exit(main())

"""The command line of `vllm-router`, each option with its reason."""

from pathlib import Path

# The header that its consistent hash looks at first. Whoever calls sets it to the model's name: the front does.
PLACEMENT_HEADER = "X-Session-ID"
_HOST = "127.0.0.1"


def router_command(binary: Path, port: int, metrics_port: int, servers: list[str], key: str = "") -> list[str]:
    """`binary`: vllm-router; `servers`: the servers' addresses; `key`: the router's own, where they take keys."""
    options = {
        "--host": _HOST,
        "--port": str(port),
        "--prometheus-host": _HOST,
        "--prometheus-port": str(metrics_port),
        # By the header above: one model's requests meet on one server, where its adapter is resident.
        "--policy": "consistent_hash",
        # At `info` it logs the hash key, which without the header is the beginning of the request; `warning` it takes
        # for `info`.
        "--log-level": "error",
        # Without one it lets the pages of every site ask.
        "--cors-allowed-origins": f"http://{_HOST}:{port}",
        # A server that drains or still loads its adapters is alive (`/health`) but takes no requests (`/ready`).
        "--health-check-endpoint": "/ready",
        "--health-check-interval-secs": "1",
        "--health-check-timeout-secs": "5",
        "--health-failure-threshold": "1",
        "--health-success-threshold": "1",
        # A request that a server refused or lost before its answer began goes to the same server again until the
        # circuit opens, then to another one: so more tries than failures that open it.
        "--cb-failure-threshold": "2",
        "--cb-success-threshold": "1",
        "--cb-timeout-duration-secs": "2",
        "--cb-window-duration-secs": "10",
        "--retry-max-retries": "6",
        "--retry-initial-backoff-ms": "50",
        "--retry-max-backoff-ms": "1000",
        "--worker-startup-check-interval": "1",
        "--request-timeout-secs": "600",
    }
    if key:
        # Routes of vLLM carry their caller's key. Any other one is passed on without it, and with this one instead: a
        # key that may report what became of an answer (scope `feedback`) and nothing else.
        options["--api-key"] = key
    return [str(binary), *(part for pair in options.items() for part in pair), "--worker-urls", *servers]

"""All boards, and the JSON that Grafana loads."""

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.dashboards import adapters, engine, service

FOLDER = Path(__file__).resolve().parents[1] / "grafana" / "dashboards"
_BUILDERS = {"service.json": service.board, "adapters.json": adapters.board, "engine.json": engine.board}


def rendered() -> dict[str, str]:
    """File name to content, the same bytes at every call."""
    encoder = JSONEncoder(sort_keys=True, indent=1)
    return {name: encoder.encode(build().build()) + "\n" for name, build in _BUILDERS.items()}

"""deploy/prometheus/rules as the operator's PrometheusRule."""

from pathlib import Path

import yaml

_HERE = Path(__file__).resolve().parent
_RULES = _HERE.parent / "prometheus" / "rules"
FILE = _HERE / "base" / "prometheus-rule.yaml"


def rendered() -> str:
    """The manifest's text, the same at every call."""
    groups = [group for file in sorted(_RULES.glob("*.yml")) for group in yaml.safe_load(file.read_text())["groups"]]
    manifest = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "cni-lora-server"},
        "spec": {"groups": groups},
    }
    text = yaml.safe_dump(manifest, sort_keys=False, width=120, allow_unicode=True)
    return "# Generated from deploy/prometheus/rules by `python -m deploy.kubernetes`.\n" + text

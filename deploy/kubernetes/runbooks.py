"""docs/runbooks as a ConfigMap: what a Prometheus in a cluster gives out where alerts link to it."""

from pathlib import Path

import yaml

_ROOT = Path(__file__).resolve().parents[2]
FILE = _ROOT / "deploy/prometheus/runbooks.yaml"


class _Lines(yaml.SafeDumper):
    """A page stays readable: line by line, as it was written."""


def _as_written(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Lines.add_representer(str, _as_written)


def rendered() -> str:
    """The manifest's text, the same at every call."""
    pages = {page.name: page.read_text("utf-8") for page in sorted((_ROOT / "docs/runbooks").glob("*.md"))}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cni-runbooks"}, "data": pages}
    text = yaml.dump(manifest, Dumper=_Lines, sort_keys=False, width=10_000, allow_unicode=True)
    return "# Generated from docs/runbooks by `python -m deploy.kubernetes`.\n" + text

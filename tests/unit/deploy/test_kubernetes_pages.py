"""What the pages show for a cluster of one's own does what they say: patches, and which keys make a secret."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.unit.deploy.manifests import HERE, named, validate, with_overlay
from tests.unit.deploy.names import ROOT


def test_the_readmes_patches_open_what_they_say(tmp_path: Path) -> None:
    """Names asked of the node, a Prometheus elsewhere, the GPU's runtime."""
    [shown] = re.findall(r"```yaml\n(patches:.*?)```", (HERE / "README.md").read_text(), re.DOTALL)
    documents = with_overlay(tmp_path, ["overlays/gpu"], ["router"], **yaml.safe_load(shown))
    validate(documents)
    policies = named("NetworkPolicy", documents)
    for name in ("cni-closed", "cni-router"):
        node = policies[name]["spec"]["egress"][-1]
        assert node["to"] == [{"ipBlock": {"cidr": "169.254.20.10/32"}}] and {p["port"] for p in node["ports"]} == {53}
    assert "monitoring" not in yaml.safe_dump(policies["cni-server"])
    pod = named("Deployment", documents)["cni-server"]["spec"]["template"]["spec"]
    assert pod["runtimeClassName"] == "nvidia"


def _read(part: object) -> Iterator[tuple[str, str]]:
    """Every key of a secret that a manifest names, with the secret."""
    if isinstance(part, list):
        for each in part:
            yield from _read(each)
    elif isinstance(part, dict):
        name = part.get("secretName") or part.get("name")
        named_keys = [*part.get("items", ()), part]
        yield from ((str(name), each["key"]) for each in named_keys if name and "key" in each)
        for each in part.values():
            yield from _read(each)


PAGES = ["docs/how-to/deploy.md", "docs/how-to/deploy.fr.md", "deploy/kubernetes/README.md"]


@pytest.mark.parametrize("page", PAGES)
def test_a_secret_holds_what_is_read_of_it_and_no_more(page: str, tmp_path: Path) -> None:
    """So no key of an admin or a client lies in the cluster, and no pod's secret holds another's."""
    made = re.findall(r"create secret generic (\S+) --from-file=\S+/\{([\w,]+)\}", (ROOT / page).read_text("utf-8"))
    assert made
    documents = with_overlay(tmp_path, ["overlays/single-node"], ["monitoring"])
    read = {*_read(documents), *_read(with_overlay(tmp_path, ["overlays/cpu"], ["router"]))}
    for name, keys in made:
        assert set(keys.split(",")) == {key for secret, key in read if secret == name}, name

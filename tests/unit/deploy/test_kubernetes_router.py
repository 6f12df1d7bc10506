"""The router's component: valid on both variants, hardened, reached by fronts alone, started as `make cluster` does."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.cluster.router import router_command
from ocr_frontend.settings import Settings
from tests.unit.deploy.manifests import (
    HERE,
    Manifest,
    check_locked,
    check_resources,
    listed,
    named,
    settings_of,
    validate,
    with_router,
)
from tests.unit.deploy.names import ROOT, rules

COMPONENT = HERE / "components" / "router"
OWN = listed(COMPONENT)
ROUTER = {"app.kubernetes.io/name": "cni-router"}


def _pod() -> dict[str, Any]:
    pod: dict[str, Any] = named("Deployment", OWN)["cni-router"]["spec"]["template"]["spec"]
    return pod


def _options(words: list[str]) -> dict[str, str]:
    return dict(word.split("=", 1) if "=" in word else (word, "") for word in words)


def test_every_file_is_listed() -> None:
    kustomization = yaml.safe_load((COMPONENT / "kustomization.yaml").read_text())
    used = {*kustomization["resources"], *(patch["path"] for patch in kustomization["patches"])}
    assert {file.name for file in COMPONENT.glob("*.yaml")} == {*used, "kustomization.yaml"}


def test_it_is_valid_as_it_stands() -> None:
    validate(OWN)


@pytest.mark.parametrize("variant", ["cpu", "gpu"])
def test_it_is_valid_on_a_variant_and_the_front_asks_it(variant: str, tmp_path: Path) -> None:
    documents = with_router(variant, tmp_path)
    validate(documents)
    for deployment in named("Deployment", documents).values():
        check_resources(deployment)
    front = settings_of(documents, "cni-front")
    settings = Settings.model_validate({key.removeprefix("OCR_FRONT_").lower(): front[key] for key in front})
    host, port = settings.server_url.removeprefix("http://").split(":")
    service = named("Service", documents)[host]["spec"]
    assert {"name": "http", "port": int(port), "targetPort": "http"} in service["ports"]


def test_it_is_locked_down_and_two_of_it_stay() -> None:
    deployment = named("Deployment", OWN)["cni-router"]
    check_locked(deployment)
    assert deployment["spec"]["replicas"] == 2
    assert "volumes" not in _pod(), "it writes nothing"
    for kind in ("Service", "PodDisruptionBudget", "ServiceMonitor", "NetworkPolicy"):
        spec = named(kind, OWN)["cni-router"]["spec"]
        selector = spec.get("podSelector") or spec["selector"]
        assert selector.get("matchLabels", selector) == ROUTER, kind
    assert deployment["spec"]["template"]["metadata"]["labels"] == ROUTER


def test_its_options_are_those_of_make_cluster() -> None:
    """But for where it listens, and that it finds the servers."""
    wanted = router_command(Path("router"), 8000, 29000, [], "$(ROUTER_KEY)")[1:]
    pairs = dict(zip(wanted[:-1:2], wanted[1:-1:2], strict=True))
    given = _options(_pod()["containers"][0]["args"])
    differ = {name for name in {*pairs, *given} if pairs.get(name) != given.get(name)}
    assert differ == {
        "--host", "--prometheus-host", "--cors-allowed-origins", "--service-discovery", "--selector",
        "--service-discovery-port", "--service-discovery-namespace",
    }  # fmt: skip
    ports = {port["name"]: str(port["containerPort"]) for port in _pod()["containers"][0]["ports"]}
    assert ports == {"http": given["--port"], "metrics": given["--prometheus-port"]}


def test_it_finds_the_bases_servers() -> None:
    base = listed(HERE / "base")
    pods = named("Deployment", base)["cni-server"]["spec"]["template"]
    given = _options(_pod()["containers"][0]["args"])
    assert given["--selector"].split("=") in [list(label) for label in pods["metadata"]["labels"].items()]
    assert {"name": "http", "containerPort": int(given["--service-discovery-port"])} in (
        pods["spec"]["containers"][0]["ports"]
    )


def test_its_account_may_see_pods_and_nothing_else() -> None:
    """Which requests it makes, tests/integration/deploy/test_router_discovery.py records."""
    assert named("Role", OWN)["cni-router"]["rules"] == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}
    ]
    binding = named("RoleBinding", OWN)["cni-router"]
    assert binding["roleRef"]["name"] == "cni-router"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": _pod()["serviceAccountName"]}]
    assert set(named("ServiceAccount", OWN)) == {"cni-router"}


def _peers(policy: Manifest, way: str, side: str) -> list[tuple[str, object]]:
    """Port and pod's name (or namespace) of every peer."""
    found = []
    for rule in policy["spec"][way]:
        for peer in rule.get(side, [{}]):
            labels = next(iter(peer.values()))["matchLabels"] if peer else {"": "anybody"}
            found += [(next(iter(labels.values())), port["port"]) for port in rule["ports"]]
    return found


def test_fronts_reach_it_and_it_reaches_servers() -> None:
    policies = named("NetworkPolicy", OWN)
    assert _peers(policies["cni-router"], "ingress", "from") == [("cni-front", "http"), ("monitoring", "metrics")]
    assert _peers(policies["cni-router"], "egress", "to") == [
        ("cni-server", "http"), ("kube-system", 53), ("kube-system", 53), ("anybody", 443), ("anybody", 6443),
    ]  # fmt: skip
    assert _peers(policies["cni-router-to-server"], "ingress", "from") == [("cni-router", "http")]
    assert _peers(policies["cni-front-to-router"], "egress", "to") == [("cni-router", "http")]


def test_probes_do_not_ask_for_every_server_and_a_stop_waits_for_what_runs() -> None:
    pod, container = _pod(), _pod()["containers"][0]
    paths = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    # /health is 503 as soon as one server is away: as a probe it would take the router from the others too.
    assert paths == {"startupProbe": "/liveness", "livenessProbe": "/liveness", "readinessProbe": "/readiness"}
    pause = float(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > pause + Settings().llm_seconds


def test_its_key_is_made_and_prometheus_job_is_the_alerts() -> None:
    script = (ROOT / "deploy/compose/secrets.sh").read_text()
    for variable in _pod()["containers"][0]["env"]:
        if "secretKeyRef" in variable["valueFrom"]:
            assert f'"{variable["valueFrom"]["secretKeyRef"]["key"]}", "feedback"' in script
    endpoint = named("ServiceMonitor", OWN)["cni-router"]["spec"]["endpoints"][0]
    job = endpoint["relabelings"][0]["replacement"]
    assert any(job in rule["expr"] for rule in rules() if rule.get("alert") == "ScrapeFailing")

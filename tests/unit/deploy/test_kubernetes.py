"""The manifests: every one valid by Kubernetes' own schemas, hardened, and naming only what exists."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deploy.kubernetes.rules import FILE, rendered
from ocr_frontend.settings import Settings as FrontSettings
from server.settings import Settings as ServerSettings
from tests.unit.deploy.names import ROOT, rules

HERE = ROOT / "deploy" / "kubernetes"
_CUSTOM = {"ServiceMonitor", "PrometheusRule"}  # the Prometheus operator's own, without a schema in Kubernetes
_VERSIONS = ("1.32", "1.37")


def _base() -> list[dict[str, Any]]:
    listed = yaml.safe_load((HERE / "base/kustomization.yaml").read_text())["resources"]
    return [document for name in listed for document in yaml.safe_load_all((HERE / "base" / name).read_text())]


def _named(kind: str, documents: list[dict[str, Any]] | None = None) -> dict[str, dict[str, Any]]:
    return {d["metadata"]["name"]: d for d in documents or _base() if d["kind"] == kind}


def _overlay(name: str) -> list[dict[str, Any]]:
    """What `kubectl apply -k` would send. Skips with a sentence where nothing can render it."""
    found = [command for command in (["kubectl", "kustomize"], ["kustomize", "build"]) if shutil.which(command[0])]
    if not found:
        pytest.skip("neither kubectl nor kustomize is here, so the overlays were not rendered; the base was validated")
    command = [*found[0], str(HERE / "overlays" / name)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return list(yaml.safe_load_all(result.stdout))


def _validate(documents: list[dict[str, Any]]) -> None:
    for document in documents:
        for version in _VERSIONS:
            if document["kind"] not in _CUSTOM:
                kubernetes_validate.validate(document, version, strict=True)


def _containers(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    pod = document["spec"]["template"]["spec"]
    yield from (*pod.get("initContainers", ()), *pod["containers"])


def test_every_file_of_the_base_is_listed() -> None:
    listed = yaml.safe_load((HERE / "base/kustomization.yaml").read_text())["resources"]
    assert {file.name for file in (HERE / "base").glob("*.yaml")} == {*listed, "kustomization.yaml"}


def test_base_is_valid() -> None:
    _validate(_base())


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_overlay_is_valid_and_has_measured_resources(name: str) -> None:
    documents = _overlay(name)
    _validate(documents)
    assert {d["kind"] for d in documents} >= {"Deployment", "Service", "HorizontalPodAutoscaler", *_CUSTOM}
    for deployment in _named("Deployment", documents).values():
        for container in _containers(deployment):
            assert container["resources"]["requests"]["memory"], container["name"]
            assert container["resources"]["limits"]["memory"], container["name"]
            assert ":" in container["image"], container["name"]
    server = _named("Deployment", documents)["cni-server"]
    asks_for_gpu = "nvidia.com/gpu" in server["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert asks_for_gpu == (name == "gpu")


def test_generated_rules_are_those_of_prometheus() -> None:
    """After a change of the rules: `python -m deploy.kubernetes`."""
    assert FILE.read_text() == rendered()


def test_settings_are_real_and_their_values_are_taken() -> None:
    maps = _named("ConfigMap")
    for name, prefix, settings in (
        ("cni-server", "SERVER_", ServerSettings),
        ("cni-front", "OCR_FRONT_", FrontSettings),
    ):
        data = {key.removeprefix(prefix).lower(): value for key, value in maps[name]["data"].items()}
        assert set(data) <= set(settings.model_fields)
        settings.model_validate(data)


def test_pods_are_locked_down() -> None:
    for deployment in _named("Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        for container in _containers(deployment):
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}


def test_probes_are_the_services_own_and_a_stop_has_time_to_drain() -> None:
    for deployment in _named("Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        container = pod["containers"][0]
        assert container["startupProbe"]["httpGet"]["path"] == "/health"
        assert container["livenessProbe"]["httpGet"]["path"] == "/health"
        assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
        pause = float(container["lifecycle"]["preStop"]["exec"]["command"][1])
        drain = float(_named("ConfigMap")["cni-server"]["data"]["SERVER_DRAIN_SECONDS"])
        wanted = pause + (drain if deployment["metadata"]["name"] == "cni-server" else 10)
        assert pod["terminationGracePeriodSeconds"] > wanted


def test_selectors_find_pods_and_mounts_find_volumes() -> None:
    deployments = _named("Deployment")
    names = {d["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] for d in deployments.values()}
    for kind in ("Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"):
        assert set(_named(kind)) == names, kind
    for deployment in deployments.values():
        volumes = {volume["name"] for volume in deployment["spec"]["template"]["spec"]["volumes"]}
        assert all(m["name"] in volumes for c in _containers(deployment) for m in c["volumeMounts"])


def test_autoscalers_ask_for_metrics_that_the_adapter_makes_of_recorded_ones() -> None:
    adapter = yaml.safe_load((HERE / "prometheus-adapter.yaml").read_text())["rules"]
    made = {rule["name"]["as"]: rule["seriesQuery"] for rule in (*adapter["custom"], *adapter["external"])}
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    for query in made.values():
        assert re.match(r"[a-z0-9_:]+", query)[0] in recorded  # type: ignore[index]
    asked = set()
    for scaler in _named("HorizontalPodAutoscaler").values():
        for metric in scaler["spec"]["metrics"]:
            asked.add(metric[metric["type"].lower()]["metric"]["name"])
    assert asked == set(made)


def test_secret_keys_are_those_that_the_script_makes() -> None:
    script = (ROOT / "deploy/compose/secrets.sh").read_text()
    for deployment in _named("Deployment").values():
        for volume in deployment["spec"]["template"]["spec"]["volumes"]:
            for item in volume.get("secret", {}).get("items", ()):
                assert f'"{item["key"]}"' in script
    for monitor in _named("ServiceMonitor").values():
        for endpoint in monitor["spec"]["endpoints"]:
            key = endpoint.get("authorization", {}).get("credentials", {"key": "metrics_key"})["key"]
            assert f'"{key}"' in script


def test_readme_names_files_that_exist() -> None:
    text = (HERE / "README.md").read_text()
    for path in re.findall(r"deploy/[\w/.-]+", text):
        assert (ROOT / path).exists() or path == "deploy/compose/secrets", path
    assert Path(HERE / "prometheus-adapter.yaml").exists()

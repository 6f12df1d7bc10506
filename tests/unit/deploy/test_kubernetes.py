"""The manifests: every one valid by Kubernetes' own schemas, hardened, and naming only what exists."""

import re
from pathlib import Path

import pytest
import yaml

from deploy.kubernetes import rules as prometheus_rule
from deploy.kubernetes import runbooks
from server.settings import Settings as ServerSettings
from tests.unit.deploy.manifests import (
    CUSTOM,
    HERE,
    check_locked,
    check_resources,
    check_settings,
    containers,
    listed,
    named,
    rendered,
    settings_of,
    validate,
    with_overlay,
)
from tests.unit.deploy.names import ROOT, rules

BASE = listed(HERE / "base")


def test_every_file_of_the_base_is_listed() -> None:
    resources = yaml.safe_load((HERE / "base/kustomization.yaml").read_text())["resources"]
    assert {file.name for file in (HERE / "base").glob("*.yaml")} == {*resources, "kustomization.yaml"} - {
        "../../grafana"
    }
    made = yaml.safe_load((HERE / "base/kustomization.yaml").read_text())["configMapGenerator"]
    assert {file.name for file in (HERE / "base").glob("*.env")} == {name for each in made for name in each["envs"]}


def test_a_changed_setting_rolls_out(tmp_path: Path) -> None:
    """Pods name their settings with a hash: another value is another pod, and no more than that."""
    usual = rendered(HERE / "overlays/cpu")
    changed = with_overlay(
        tmp_path,
        ["overlays/cpu"],
        configMapGenerator=[{"name": "cni-front", "behavior": "merge", "literals": ["OCR_FRONT_OCR_QUEUE=32"]}],
    )
    assert settings_of(changed, "cni-front") == settings_of(usual, "cni-front") | {"OCR_FRONT_OCR_QUEUE": "32"}
    for name, same in (("cni-server", True), ("cni-front", False)):
        before, after = (named("Deployment", documents)[name]["spec"]["template"] for documents in (usual, changed))
        assert (before == after) is same, name


def test_every_board_is_a_config_map_that_grafanas_sidecar_finds() -> None:
    maps = named("ConfigMap", rendered(HERE / "overlays/cpu"))
    boards = {name: d for name, d in maps.items() if d["metadata"].get("labels", {}).get("grafana_dashboard") == "1"}
    held = {file: text for board in boards.values() for file, text in board["data"].items()}
    files = {file.name: file.read_text() for file in (ROOT / "deploy/grafana/dashboards").glob("*.json")}
    assert held == files
    assert all(len(text) < 1 << 20 for text in held.values()), "Kubernetes takes no larger ConfigMap"


def test_no_file_of_several_patches_deletes() -> None:
    """The kustomize of kubectl 1.32 (5.5) ends in a panic over such a file; the locked one takes it."""
    for file in HERE.rglob("*.yaml"):
        documents = list(yaml.safe_load_all(file.read_text()))
        assert len(documents) == 1 or not any(d and "$patch" in d for d in documents), file


def test_base_is_valid() -> None:
    validate(BASE)


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_overlay_is_valid_and_has_measured_resources(name: str) -> None:
    documents = rendered(HERE / "overlays" / name)
    validate(documents)
    assert {d["kind"] for d in documents} >= {"Deployment", "Service", "HorizontalPodAutoscaler", *CUSTOM}
    for deployment in named("Deployment", documents).values():
        check_resources(deployment)
    server = named("Deployment", documents)["cni-server"]
    asks_for_gpu = "nvidia.com/gpu" in server["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert asks_for_gpu == (name == "gpu")


def test_generated_rules_are_those_of_prometheus() -> None:
    """After a change of the rules: `python -m deploy.kubernetes`."""
    assert prometheus_rule.FILE.read_text() == prometheus_rule.rendered()


def test_the_runbooks_are_the_pages_and_fit_into_a_configmap() -> None:
    """After a change of a page: `python -m deploy.kubernetes`."""
    text = runbooks.FILE.read_text("utf-8")
    assert text == runbooks.rendered()
    pages = yaml.safe_load(text)["data"]
    assert pages == {page.name: page.read_text("utf-8") for page in (ROOT / "docs/runbooks").glob("*.md")}
    assert len(text.encode()) < 256 * 1024, "what kubectl apply notes beside an object"


def test_settings_are_real_and_their_values_are_taken() -> None:
    check_settings(rendered(HERE / "base"))


@pytest.mark.parametrize("name", ["cpu", "gpu", "single-node"])
def test_no_number_stands_where_the_server_fits_itself_to_its_memory(name: str) -> None:
    """A zero of server/settings.py: derived from the machine. A fixed number would be right for one limit only."""
    fitted = {f"SERVER_{field.upper()}" for field, info in ServerSettings.model_fields.items() if info.default == 0}
    assert "SERVER_MAX_CPU_LORAS" in fitted
    assert not fitted & set(settings_of(rendered(HERE / "overlays" / name), "cni-server"))


def test_pods_are_locked_down() -> None:
    for deployment in named("Deployment", BASE).values():
        check_locked(deployment)
        assert deployment["spec"]["template"]["spec"]["automountServiceAccountToken"] is False


def test_probes_are_the_services_own_and_a_stop_has_time_to_drain() -> None:
    for deployment in named("Deployment", BASE).values():
        pod = deployment["spec"]["template"]["spec"]
        container = pod["containers"][0]
        assert container["startupProbe"]["httpGet"]["path"] == "/health"
        assert container["livenessProbe"]["httpGet"]["path"] == "/health"
        assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
        pause = float(container["lifecycle"]["preStop"]["exec"]["command"][1])
        drain = float(settings_of(rendered(HERE / "base"), "cni-server")["SERVER_DRAIN_SECONDS"])
        wanted = pause + (drain if deployment["metadata"]["name"] == "cni-server" else 10)
        assert pod["terminationGracePeriodSeconds"] > wanted


def test_selectors_find_pods_and_mounts_find_volumes() -> None:
    deployments = named("Deployment", BASE)
    names = {d["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"] for d in deployments.values()}
    for kind in ("Service", "PodDisruptionBudget", "HorizontalPodAutoscaler"):
        assert set(named(kind, BASE)) == names, kind
    for deployment in deployments.values():
        volumes = {volume["name"] for volume in deployment["spec"]["template"]["spec"]["volumes"]}
        assert all(m["name"] in volumes for c in containers(deployment) for m in c["volumeMounts"])


def test_autoscalers_ask_for_metrics_that_the_adapter_makes_of_recorded_ones() -> None:
    adapter = yaml.safe_load((HERE / "prometheus-adapter.yaml").read_text())["rules"]
    made = {rule["name"]["as"]: rule["seriesQuery"] for rule in (*adapter["custom"], *adapter["external"])}
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    for query in made.values():
        assert re.match(r"[a-z0-9_:]+", query)[0] in recorded  # type: ignore[index]
    asked = set()
    for scaler in named("HorizontalPodAutoscaler", BASE).values():
        for metric in scaler["spec"]["metrics"]:
            asked.add(metric[metric["type"].lower()]["metric"]["name"])
    assert asked == set(made)


def test_secret_keys_are_those_that_the_script_makes() -> None:
    script = (ROOT / "deploy/compose/secrets.sh").read_text()
    for deployment in named("Deployment", BASE).values():
        for volume in deployment["spec"]["template"]["spec"]["volumes"]:
            parts = [
                volume.get("secret", {}),
                *(one["secret"] for one in volume.get("projected", {}).get("sources", ())),
            ]
            for item in (item for part in parts for item in part.get("items", ())):
                assert f'"{item["key"]}"' in script
    for monitor in named("ServiceMonitor", BASE).values():
        for endpoint in monitor["spec"]["endpoints"]:
            key = endpoint.get("authorization", {}).get("credentials", {"key": "metrics_key"})["key"]
            assert f'"{key}"' in script


def test_readme_names_files_that_exist() -> None:
    text = (HERE / "README.md").read_text()
    for path in re.findall(r"deploy/[\w/.-]+", text):
        assert (ROOT / path).exists() or path.startswith("deploy/compose/secrets"), path
    assert Path(HERE / "prometheus-adapter.yaml").exists()


def test_fronts_that_are_several_take_no_jobs_of_their_own() -> None:
    data = settings_of(rendered(HERE / "base"), "cni-front")
    assert data["OCR_FRONT_JOBS_EMBEDDED"] == "false"
    volumes = named("Deployment", BASE)["cni-front"]["spec"]["template"]["spec"]["volumes"]
    [shared] = [
        source["secret"]
        for volume in volumes
        for source in volume.get("projected", {}).get("sources", ())
        if source["secret"]["name"] == "cni-jobs"
    ]
    assert shared["optional"] is True
    entry = (ROOT / "deploy/images/front-entry.sh").read_text()
    assert "jobs_database" in entry and "jobs_key" in entry
    validate(listed(HERE / "components" / "jobs"))

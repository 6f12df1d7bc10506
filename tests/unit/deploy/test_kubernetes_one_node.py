"""One node: the overlay, and the one that docs/how-to/deploy.md shows around it: boards, TLS, storage, an own base."""

import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from ocr_frontend.api.uploads import FORM_OVERHEAD
from ocr_frontend.settings import Settings as FrontSettings
from tests.unit.deploy.manifests import (
    CUSTOM,
    HERE,
    Manifest,
    check_locked,
    check_resources,
    check_settings,
    containers,
    listed,
    mounted_keys,
    named,
    rendered,
    settings_of,
    validate,
    with_overlay,
)
from tests.unit.deploy.names import ROOT

PAGES = [ROOT / "docs/how-to" / name for name in ("deploy.md", "deploy.fr.md")]
COMPONENTS = HERE / "components"
COMPOSE = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text())["services"]


def shown(page: Path) -> str:
    """The overlay that a page shows."""
    [overlay] = [
        text for text in re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL) if "own-base" in text
    ]
    return str(overlay)


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """What that overlay would send, from a folder elsewhere."""
    folder = tmp_path_factory.mktemp("mine")
    here = os.path.relpath(HERE, folder.resolve())
    text = shown(PAGES[0]).replace("../single-node", f"{here}/overlays/single-node")
    (folder / "kustomization.yaml").write_text(text.replace("../../components", f"{here}/components"))
    return rendered(folder)


def pod_of(documents: list[Manifest], name: str) -> dict[str, Any]:
    found: dict[str, Any] = named("Deployment", documents)[name]["spec"]["template"]["spec"]
    return found


def test_it_needs_no_operator_and_takes_pictures_by_tls_alone() -> None:
    documents = rendered(HERE / "overlays/single-node")
    validate(documents)
    assert not {d["kind"] for d in documents} & {"HorizontalPodAutoscaler", "PodDisruptionBudget", *CUSTOM}
    deployments = named("Deployment", documents)
    for deployment in deployments.values():
        assert deployment["spec"]["replicas"] == 1
        check_resources(deployment)
    assert deployments["cni-server"]["spec"]["strategy"] == {"type": "Recreate"}
    assert named("PersistentVolumeClaim", documents)["cni-registry"]["spec"]["accessModes"] == ["ReadWriteOnce"]
    (ingress,) = named("Ingress", documents).values()
    hosts = [rule["host"] for rule in ingress["spec"]["rules"]]
    assert ingress["spec"]["tls"] == [{"hosts": hosts, "secretName": "cni-tls"}]
    services = named("Service", documents)
    for rule in ingress["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            backend = path["backend"]["service"]
            assert backend["port"]["name"] in {port["name"] for port in services[backend["name"]]["spec"]["ports"]}


def test_its_one_front_takes_jobs_of_any_size_that_it_allows() -> None:
    documents = rendered(HERE / "overlays/single-node")
    check_settings(documents)
    data = settings_of(documents, "cni-front")
    assert data["OCR_FRONT_JOBS_EMBEDDED"] == "true" and "jobs_key" in mounted_keys(documents, "cni-front")
    [mount] = [m for m in pod_of(documents, "cni-front")["containers"][0]["volumeMounts"] if m["name"] == "cache"]
    assert Path(data["OCR_FRONT_JOBS_FILE"]).is_relative_to(mount["mountPath"])
    (ingress,) = named("Ingress", documents).values()
    size = ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"]
    assert int(size.removesuffix("m")) << 20 > FrontSettings().jobs_key_bytes + FORM_OVERHEAD


def test_its_front_reaches_receivers_of_jobs_only_where_callbacks_are_wanted(tmp_path: Path) -> None:
    def ports(documents: list[Manifest]) -> set[int]:
        """That it reaches anywhere."""
        ways = [each["spec"] for each in named("NetworkPolicy", documents).values()]
        of_front = [
            way for way in ways if way["podSelector"].get("matchLabels") == {"app.kubernetes.io/name": "cni-front"}
        ]
        rules = [rule for way in of_front for rule in way.get("egress", ()) if "to" not in rule]
        return {port["port"] for rule in rules for port in rule["ports"]}

    assert ports(rendered(HERE / "overlays/single-node")) == set(), "closed by default"
    documents = with_overlay(tmp_path, ["overlays/single-node"], ["callbacks"])
    validate(documents)
    assert ports(documents) == {443}
    for page in (*PAGES, HERE / "README.md", *(ROOT / "docs/runbooks").glob("JobCallbacksFailing*.md")):
        assert "components/callbacks" in page.read_text("utf-8"), page.name


def test_both_languages_show_the_same_overlay_and_it_is_valid(mine: list[Manifest]) -> None:
    assert shown(PAGES[0]) == shown(PAGES[1])
    validate(mine)
    assert not {d["kind"] for d in mine} & CUSTOM
    for deployment in named("Deployment", mine).values():
        check_resources(deployment)
        check_locked(deployment)
    (ingress,) = named("Ingress", mine).values()
    [rule] = ingress["spec"]["rules"]
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"]] != ["cni.example.org"]
    for volume in named("PersistentVolumeClaim", mine).values():
        assert volume["spec"]["accessModes"] == ["ReadWriteOnce"], "the one node's own storage"


def test_its_settings_are_real(mine: list[Manifest]) -> None:
    check_settings(mine)


def test_the_server_reads_the_base_that_the_door_writes(mine: list[Manifest]) -> None:
    server, door = pod_of(mine, "cni-server"), pod_of(mine, "cni-models")
    [inside] = [mount for mount in server["containers"][0]["volumeMounts"] if mount["name"] == "models"]
    [at_the_door] = door["containers"][0]["volumeMounts"]
    base = settings_of(mine, "cni-server")["SERVER_MODEL"]
    assert base.startswith(inside["mountPath"] + "/") and inside["readOnly"] is True
    assert at_the_door == {"name": "models", "mountPath": inside["mountPath"]}
    [volume] = [each for each in server["volumes"] if each["name"] == "models"]
    assert volume["persistentVolumeClaim"] == {"claimName": "cni-models", "readOnly": True}
    assert door["securityContext"]["fsGroup"] == server["securityContext"]["fsGroup"], "or it could not read them"
    assert named("Deployment", mine)["cni-models"]["spec"]["replicas"] == 0
    for page in PAGES:
        [line] = re.findall(r"exec -i deployment/(\S+) -- tar x -C (\S+)", page.read_text("utf-8"))
        assert line == ("cni-models", inside["mountPath"])


def test_boards_rules_and_receivers_are_those_of_compose(mine: list[Manifest]) -> None:
    held = {file: text for each in named("ConfigMap", mine).values() for file, text in each["data"].items()}
    folders = {
        "deploy/grafana/dashboards": "*.json",
        "deploy/prometheus/rules": "*.yml",
        "deploy/alertmanager": "alertmanager.yml",
        "docs/runbooks": "*.md",
    }
    for folder, pattern in folders.items():
        for file in (ROOT / folder).glob(pattern):
            assert held[file.name] == file.read_text("utf-8"), file.name
    usual = (ROOT / "deploy/prometheus/prometheus.yml").read_text()
    for name in ("server:8000", "front:8080", "alertmanager:9093"):
        usual = usual.replace(f'"{name}"', f'"cni-{name}"')
    assert yaml.safe_load(held["prometheus.yml"]) == yaml.safe_load(usual)
    provisioning = ROOT / "deploy/grafana/provisioning"
    assert held["boards.yml"] == (provisioning / "dashboards/cni.yml").read_text()
    usual = (provisioning / "datasources/prometheus.yml").read_text()
    assert held["datasource.yml"] == usual.replace("http://prometheus:", "http://cni-prometheus:")


def test_links_in_alerts_lead_to_a_prometheus_that_has_the_pages(mine: list[Manifest]) -> None:
    [container] = pod_of(mine, "cni-prometheus")["containers"]
    mounted = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volumes = {each["name"]: each for each in pod_of(mine, "cni-prometheus")["volumes"]}
    compose = COMPOSE["prometheus"]
    for arguments in (container["args"], compose["command"]):
        given = dict(argument.removeprefix("--").split("=", 1) for argument in arguments)
        assert re.fullmatch(r"(\$\{PROMETHEUS_URL:-)?http://127\.0\.0\.1:9090\}?", given["web.external-url"])
        where = given["web.console.templates"]
        assert volumes[mounted[where]]["configMap"] == {"name": "cni-runbooks"}
        assert f"../../docs/runbooks:{where}:ro" in compose["volumes"]
    assert "127.0.0.1:9090:9090" in compose["ports"]
    [port] = named("Service", mine)["cni-prometheus"]["spec"]["ports"]
    assert port["port"] == 9090


def test_alertmanager_counts_by_receiver_here_too(mine: list[Manifest]) -> None:
    [container] = pod_of(mine, "cni-alertmanager")["containers"]
    assert "--enable-feature=receiver-name-in-metrics" in container["args"]


def test_images_and_memory_are_those_of_compose(mine: list[Manifest]) -> None:
    for name in ("prometheus", "alertmanager", "grafana"):
        [container] = pod_of(mine, f"cni-{name}")["containers"]
        assert container["image"] == COMPOSE[name]["image"], "make pin writes both"
        limit = container["resources"]["limits"]["memory"].removesuffix("i").lower()
        assert limit == COMPOSE[name]["mem_limit"]


def test_every_volume_is_there_and_every_secret_is_made(mine: list[Manifest]) -> None:
    script = (ROOT / "deploy/compose/secrets.sh").read_text()
    maps, claims = named("ConfigMap", mine), named("PersistentVolumeClaim", mine)
    for deployment in named("Deployment", mine).values():
        volumes = {volume["name"]: volume for volume in deployment["spec"]["template"]["spec"]["volumes"]}
        assert all(m["name"] in volumes for c in containers(deployment) for m in c["volumeMounts"])
        for volume in volumes.values():
            sources = [volume, *volume.get("projected", {}).get("sources", ())]
            for config in (source["configMap"] for source in sources if "configMap" in source):
                assert {item["key"] for item in config.get("items", ())} <= set(maps[config["name"]]["data"])
            for item in volume.get("secret", {}).get("items", ()):
                assert item["key"] in script
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in claims


def test_each_that_asks_another_is_let_through(mine: list[Manifest]) -> None:
    """Policies add up: who asks may leave, who is asked lets it in, on a port that the pod names."""
    policies = named("NetworkPolicy", mine).values()

    def selected(selector: Manifest) -> set[str]:
        found = {selector["matchLabels"]["app.kubernetes.io/name"]} if "matchLabels" in selector else set()
        return found.union(*(each["values"] for each in selector.get("matchExpressions", ())))

    def let(name: str, way: str, side: str, other: str) -> bool:
        rules = [r for p in policies if name in selected(p["spec"]["podSelector"]) for r in p["spec"].get(way, ())]
        peers = [(rule, peer) for rule in rules for peer in rule.get(side, [{"podSelector": {}}])]
        return any(
            {"protocol": "TCP", "port": "http"} in rule["ports"] and other in (selected(peer["podSelector"]) or {other})
            for rule, peer in peers
            if "podSelector" in peer
        )

    asked = {"cni-grafana": ["cni-prometheus"], "cni-prometheus": ["cni-server", "cni-front", "cni-alertmanager"]}
    for name, others in asked.items():
        for other in others:
            assert let(name, "egress", "to", other) and let(other, "ingress", "from", name), (name, other)
    assert not let("cni-models", "egress", "to", "cni-server") and not let("cni-grafana", "ingress", "from", "x")


def test_every_file_of_a_component_is_used() -> None:
    for name in ("monitoring", "own-base", "outside", "callbacks"):
        kustomization = yaml.safe_load((COMPONENTS / name / "kustomization.yaml").read_text())
        used = {*kustomization["resources"], *(patch["path"] for patch in kustomization.get("patches", ()))}
        used |= {file for made in kustomization.get("configMapGenerator", ()) for file in made["files"]}
        files = {file.relative_to(COMPONENTS / name).as_posix() for file in (COMPONENTS / name).rglob("*.y*ml")}
        assert files - {"kustomization.yaml"} == {file for file in used if not file.startswith("..")}
    validate(listed(COMPONENTS / "outside"))


def test_the_folders_that_are_packed_stand_alone_and_hold_no_secret(tmp_path: Path) -> None:
    packed = [re.findall(r"cp -r ((?:deploy/\w+ )+)build/cni/", page.read_text("utf-8")) for page in PAGES]
    assert packed[0] == packed[1] and len(packed[0]) == 1
    for folder in packed[0][0].split():
        shutil.copytree(ROOT / folder, tmp_path / Path(folder).name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "kubernetes/overlays/mine").mkdir()
    (tmp_path / "kubernetes/overlays/mine/kustomization.yaml").write_text(shown(PAGES[0]))
    assert named("Deployment", rendered(tmp_path / "kubernetes/overlays/mine"))
    made = re.search(r"mkdir -p (\w+)\n", (ROOT / "deploy/compose/secrets.sh").read_text())
    assert made and made[1] == "secrets" and not list(tmp_path.rglob("secrets"))
    path = re.search(r"path: \./(kubernetes/overlays/mine)", PAGES[0].read_text())
    assert path, "where Flux looks"

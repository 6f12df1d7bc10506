"""The router as the component starts it, before pods that a Kubernetes interface of our own tells of."""

import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.up import environment
from deploy.up.services import Service, wait_ready
from tests.integration.deploy.kubernetes_api import KubernetesApi
from tests.unit.deploy.manifests import HERE, listed, named

ROOT = Path(__file__).resolve().parents[3]
# All of them are this machine; Kubernetes, too, gives each pod an address and all of them one port.
IPS = ("127.0.0.11", "127.0.0.12", "127.0.0.13")
KEY = "may-report"


def _free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _arguments(port: int, metrics_port: int, pods_port: int) -> list[str]:
    """Those of the manifest, with ports of this test and what the kubelet puts in."""
    container = named("Deployment", listed(HERE / "components/router"))["cni-router"]["spec"]["template"]["spec"]
    changed = {
        "--host=0.0.0.0": "--host=127.0.0.1", "--port=8000": f"--port={port}",
        "--prometheus-host=0.0.0.0": "--prometheus-host=127.0.0.1",
        "--prometheus-port=29000": f"--prometheus-port={metrics_port}",
        "--service-discovery-port=8000": f"--service-discovery-port={pods_port}",
    }  # fmt: skip
    arguments = container["containers"][0]["args"]
    assert changed.keys() <= set(arguments)
    texts = (changed.get(text, text) for text in arguments)
    return [text.replace("$(ROUTER_KEY)", KEY).replace("$(NAMESPACE)", "cni") for text in texts]


@dataclass
class Routed:
    """A router, the pods that may be behind it, and what tells it of them."""

    url: str
    api: KubernetesApi
    pods: dict[str, Service]

    def tell(self, ip: str, *, ready: bool, ends: bool = False) -> None:
        self.api.set(f"pod-{ip}", ip, "cni-server", ready=ready, ends=ends)

    def known(self) -> set[str]:
        urls = httpx.get(f"{self.url}/list_workers").json()["urls"]
        return {url.removeprefix("http://").split(":")[0] for url in urls}

    def asked(self, path: str = "/v1/completions") -> dict[str, str]:
        """Which pod answered each of many places."""
        body = {"model": "cni", "prompt": "p"}
        answers = {
            str(place): httpx.post(f"{self.url}{path}", json=body, headers={"X-Session-ID": str(place)}, timeout=30)
            for place in range(24)
        }
        return {place: answer.json()["host"] for place, answer in answers.items()}


@pytest.fixture
def routed(tmp_path: Path) -> Iterator[Routed]:
    environment.make(ROOT, ROOT / ".venv-router", ROOT / "requirements/router.lock")
    port, pods_port, api = _free_port(), _free_port(IPS[0]), KubernetesApi()
    replica = str(Path(__file__).with_name("replica.py"))
    pods = {ip: Service(ip, [sys.executable, replica, str(pods_port), "0", ip], tmp_path / ip) for ip in IPS}
    router = Service(
        "router",
        [str(ROOT / ".venv-router/bin/vllm-router"), *_arguments(port, _free_port(), pods_port)],
        tmp_path / "router.log",
        {"KUBECONFIG": str(api.write_kubeconfig(tmp_path / "kubeconfig"))},
    )
    try:
        for pod in pods.values():
            pod.start()
        for ip, pod in pods.items():
            wait_ready(pod, f"http://{ip}:{pods_port}/ready", lambda _: None)
        router.start()
        wait_ready(router, f"http://127.0.0.1:{port}/liveness", lambda _: None)
        yield Routed(f"http://127.0.0.1:{port}", api, pods)
    finally:
        for service in (router, *pods.values()):
            service.stop()
        api.close()


def test_it_follows_the_pods_that_are_ready(routed: Routed) -> None:
    one, two, three = IPS
    assert httpx.get(f"{routed.url}/readiness").status_code == 503, "without a server it is not ready itself"
    routed.tell(one, ready=True)
    routed.tell(two, ready=True)
    routed.tell(three, ready=False)
    routed.api.set("pod-of-another", three, "cni-front", ready=True)
    _until(lambda: routed.known() == {one, two})
    assert httpx.get(f"{routed.url}/readiness").status_code == 200

    routed.tell(three, ready=True)
    _until(lambda: routed.known() == set(IPS))
    homes = routed.asked()
    assert set(homes.values()) == set(IPS)
    # A report meets the server that answered.
    assert routed.asked("/v1/feedback") == homes

    routed.tell(three, ready=False)
    _until(lambda: routed.known() == {one, two})
    routed.tell(two, ready=True, ends=True)
    _until(lambda: routed.known() == {one})
    assert set(routed.asked().values()) == {one}


def test_a_pod_that_drains_gets_no_requests_before_kubernetes_sees_it(routed: Routed) -> None:
    for ip in IPS:
        routed.tell(ip, ready=True)
    _until(lambda: routed.known() == set(IPS))
    routed.pods[IPS[0]].stop()
    assert set(routed.asked().values()) == set(IPS[1:])


def test_it_asks_kubernetes_for_what_its_account_may_see(routed: Routed) -> None:
    routed.tell(IPS[0], ready=True)
    _until(lambda: routed.known() == {IPS[0]})
    rule = named("Role", listed(HERE / "components/router"))["cni-router"]["rules"][0]
    assert routed.api.asked == {(verb, "/api/v1/namespaces/cni/pods") for verb in rule["verbs"]}
    assert rule["resources"] == ["pods"]


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)

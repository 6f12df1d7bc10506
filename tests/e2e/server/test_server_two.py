"""Two servers over one registry folder: what one is told, the other serves within a few seconds."""

import time
from collections.abc import Callable
from pathlib import Path

from tests.support.live_server import LiveServer
from tests.support.tiny_models import manifest_for, write_adapter

_FEW_SECONDS = 10  # the folder is looked at each second; the rest is for a busy machine


def within(check: Callable[[], bool]) -> None:
    until = time.monotonic() + _FEW_SECONDS
    while not check():
        assert time.monotonic() < until, "the other server does not follow"
        time.sleep(0.2)


def test_a_switch_and_a_new_adapter_reach_the_other(
    server: LiveServer, second: LiveServer, revisions: list[str], tiny_base: Path, tmp_path: Path
) -> None:
    for target in (revisions[1], revisions[2], revisions[0]):
        with server.client("boss") as boss:
            assert boss.put("/v1/adapters/cni", json={"revision": target}).status_code == 200
        assert server.complete("cni")["model"] == f"cni@{target}"
        within(lambda target=target: second.complete("cni")["model"] == f"cni@{target}")
        assert second.complete("cni")["choices"] == server.complete("cni")["choices"]

    manifest = manifest_for(tiny_base, name="shared")
    revision = second.upload("shared", write_adapter(tmp_path / "shared", seed=42, manifest=manifest))
    with server.client() as client:
        within(lambda: any(card["id"] == "shared" for card in client.get("/v1/models").json()["data"]))
    assert server.complete("shared")["model"] == f"shared@{revision}"

    with second.client("boss") as boss:
        assert boss.post("/v1/adapters/cni/rollback").status_code == 200
    within(lambda: server.complete("cni")["model"] == f"cni@{revisions[2]}")

"""What goes wrong on the way: broken streams, callers who leave, keys files, two servers that judge one split."""

import asyncio
import json
import logging
import os
import struct
import threading
from pathlib import Path
from typing import Any

import pytest

from adapters.registry.contents import Taken
from adapters.registry.errors import Refused
from adapters.registry.proofs import PROOFS
from adapters.registry.store import Registry
from server.auth.keys import Key, hash_secret
from server.auth.keys_edit import add_key
from server.errors import TooMany, Unavailable, Unprocessable
from server.routes.judging import judge
from tests.support.tiny_models import write_adapter


def registered(root: Path, count: int, name: str = "cni") -> list[str]:
    registry = Registry(root)
    return [
        registry.register(name, write_adapter(root / ".incoming" / str(seed), seed=seed))[0] for seed in range(count)
    ]


def header(content: bytes) -> bytes:
    """A safetensors file of nothing but a header."""
    return struct.pack("<Q", len(content)) + content


async def metrics(server: Any) -> dict[str, float]:
    async with server.client() as client:
        lines = (await client.get("/metrics")).text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def errors(values: dict[str, float], model: str) -> dict[str, float]:
    adapter, _, revision = model.partition("@")
    start = f'cni_server_errors_total{{adapter="{adapter}",kind="'
    end = f'",revision="{revision}"}}'
    found = {k.removeprefix(start).removesuffix(end): v for k, v in values.items() if k.startswith(start)}
    return {kind: value for kind, value in found.items() if value and "{" not in kind}


class Caller:
    """Calls the application as a web server would, and goes away when told."""

    def __init__(self, server: Any, body: dict[str, Any]) -> None:
        self._body = json.dumps(body).encode()
        self._server = server
        self._given = False
        self.away = asyncio.Event()
        self.received: list[dict[str, Any]] = []

    async def call(self) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(self._body)).encode())]
        scope = {"type": "http", "method": "POST", "path": "/v1/completions", "headers": headers}
        more = {"raw_path": b"/v1/completions", "query_string": b"", "client": ("1", 1), "server": ("s", 80)}
        asgi = {"asgi": {"version": "3.0", "spec_version": "2.3"}, "scheme": "http", "http_version": "1.1"}
        await self._server.app({**scope, **more, **asgi}, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        if not self._given:
            self._given = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self.away.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        self.received.append(message)


@pytest.mark.parametrize("fault", ["raises", "tells"])
async def test_a_stream_that_breaks_is_an_error_and_ends_a_split(root: Path, start: Any, fault: str) -> None:
    first, second = registered(root, 2)
    async with start(split_min_requests=3) as server:
        Registry(root).switch("cni", {first: 1.0})
        await server.context.plane.refresh()
        async with server.client() as client:
            await client.put("/v1/adapters/cni", json={"split": {first: 50, second: 50}})
        server.engine.stream_fault = fault
        for _ in range(4):
            caller = Caller(server, {"model": f"cni@{second}", "prompt": "x", "stream": True})
            await caller.call()
            assert caller.received[0]["status"] == 200 and caller.received[1]["body"].startswith(b"data: cni@")
        assert errors(await metrics(server), f"cni@{second}") == {"stream": 4.0}
        for _ in range(100):
            await asyncio.sleep(0.02)
            if server.context.plane.catalogue.adapter("cni").weights == {first: 1.0}:
                break
        else:
            raise AssertionError("the split was not rolled back")
        assert server.context.plane.residency.in_use(f"cni@{second}") == 0


@pytest.mark.parametrize("stream", [True, False])
async def test_a_caller_who_goes_away_is_no_fault_of_the_revision(root: Path, start: Any, stream: bool) -> None:
    (first,) = registered(root, 1)
    async with start() as server:
        server.engine.gate.clear()
        caller = Caller(server, {"model": "cni", "prompt": "x", "stream": stream})
        calling = asyncio.create_task(caller.call())
        await asyncio.sleep(0.05)
        assert server.context.plane.residency.in_use(f"cni@{first}") == 1
        caller.away.set()
        await asyncio.sleep(0.05)
        server.engine.gate.set()
        await calling
        values = await metrics(server)
        assert errors(values, f"cni@{first}") == {"disconnected": 1.0}
        assert values[f'cni_server_requests_in_flight{{adapter="cni",revision="{first}"}}'] == 0
        for _ in range(100):
            await asyncio.sleep(0.02)
            if not server.context.plane.residency.in_use(f"cni@{first}"):
                break
        else:
            raise AssertionError("the lease was not given back")


def secret(path: Path, *names: str) -> None:
    """A keys file that replaces what was there, as a mounted secret does."""
    scratch = path.with_name("scratch.json")
    scratch.unlink(missing_ok=True)
    for name in names:
        add_key(scratch, Key(id=name, sha256=hash_secret(name), scopes=frozenset({"inference"})))
    scratch.replace(path)


async def until(server: Any, key: str, status: int) -> None:
    for _ in range(100):
        if (await server.ask("tiny-base", key=key)).status_code == status:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{key} does not get {status} after two seconds")


async def test_the_keys_file_is_followed(tmp_path: Path, start: Any, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("server").propagate = True
    caplog.set_level(logging.INFO)
    path = tmp_path / "keys.json"
    secret(path, "ana")
    async with start(keys_file=path) as server:
        await until(server, "ana", 200)
        secret(path, "bo")
        await until(server, "bo", 200)
        assert (await server.ask("tiny-base", key="ana")).status_code == 401

        for broken in ("{", '{"keys": [{"id": "x"}]}', ""):
            caplog.clear()
            # In one move: a look between the emptying and the writing would see two changes, and say so twice.
            path.with_suffix(".new").write_text(broken)
            path.with_suffix(".new").replace(path)
            await asyncio.sleep(0.3)
            assert (await server.ask("tiny-base", key="bo")).status_code == 200
            # The server's own handler and pytest's may pass one record on twice: it is one object then.
            assert len({id(r) for r in caplog.records if r.name == "server.keys"}) == 1, caplog.text
            assert "stay" in caplog.text and "Traceback" not in caplog.text
        path.unlink()
        await asyncio.sleep(0.2)
        assert (await server.ask("tiny-base", key="bo")).status_code == 200
        assert (await server.ask("tiny-base")).status_code == 401, "a file that is gone opens nothing"

        path.write_text('{"keys": []}')
        await until(server, "bo", 401)
        secret(path, "cy")
        await until(server, "cy", 200)


async def test_two_servers_that_judge_one_split_go_back_once(root: Path, start: Any) -> None:
    first, second, third = registered(root, 3)
    async with start(split_min_requests=2) as one, start(split_min_requests=2) as two:
        async with one.client() as client:
            assert (await client.put("/v1/adapters/cni", json={"revision": first})).status_code == 200
            await client.put("/v1/adapters/cni", json={"revision": second})
            await client.put("/v1/adapters/cni", json={"split": {second: 50, third: 50}})
        await two.context.plane.refresh()
        for server in (one, two):
            for _ in range(3):
                judge(server.context, "cni", third, True)
        await asyncio.sleep(0.3)
        for server in (one, two):
            await server.context.plane.refresh()
            assert server.context.plane.catalogue.adapter("cni").weights == {second: 1.0}


async def test_a_rollout_in_steps_goes_back_to_before_it_began(root: Path, start: Any) -> None:
    first, second = registered(root, 2)
    async with start(split_min_requests=2) as server, server.client() as client:
        await client.put("/v1/adapters/cni", json={"revision": first})
        for share in (10, 50):
            await client.put("/v1/adapters/cni", json={"split": {first: 100 - share, second: share}})
        for _ in range(2):
            judge(server.context, "cni", second, True)
        await asyncio.sleep(0.3)
        assert server.context.plane.catalogue.adapter("cni").weights == {first: 1.0}


async def test_a_split_of_more_revisions_than_places(root: Path, start: Any) -> None:
    revisions = registered(root, 4)
    async with start(max_cpu_loras=2, max_loras=2) as server, server.client() as client:
        split = {"split": dict.fromkeys(revisions, 1)}
        answer = await asyncio.wait_for(client.put("/v1/adapters/cni", json=split), 10)
        assert answer.status_code == 200
        answers = await asyncio.gather(*(server.ask("cni") for _ in range(40)))
        assert {a.json()["model"] for a in answers} == {f"cni@{revision}" for revision in revisions}
        assert len(server.engine.loaded) <= 2


async def test_a_rollback_waits_for_no_download(root: Path, tmp_path: Path, start: Any) -> None:
    first, second = registered(root, 2)
    async with start() as server, server.client() as client:
        await client.put("/v1/adapters/cni", json={"revision": first})
        await client.put("/v1/adapters/cni", json={"revision": second})
        slow = threading.Event()

        def fetch(staging: Path) -> Taken:
            assert slow.wait(20)
            return Taken(write_adapter(staging / "content", seed=9))

        registering = asyncio.create_task(server.context.admin.register("local", "other", fetch))
        await asyncio.sleep(0.05)
        back = await asyncio.wait_for(client.post("/v1/adapters/cni/rollback"), 10)
        assert back.json()["weights"] == {first: 1.0} and not registering.done()
        slow.set()
        assert (await registering)["adapter"] == "other"


async def test_a_load_that_fails_for_a_moment_is_tried_again(root: Path, start: Any) -> None:
    """The disk is gone while an adapter is loaded a second time: it was verified, and only the engine reads it now."""
    first, _ = registered(root, 2)
    async with start() as server:
        plane = server.context.plane
        file = root / "cni" / first / "adapter_model.safetensors"
        away = file.with_name("away")
        await plane.residency.leave(f"cni@{first}")
        file.rename(away)
        answer = await server.ask(f"cni@{first}")
        assert answer.status_code == 503 and int(answer.headers["retry-after"]) >= 1, answer.text
        away.rename(file)
        await answered(server, f"cni@{first}")


@pytest.mark.parametrize(
    "fault",
    [
        Refused("engine-busy", "The engine could not load the adapter."),
        Refused("unreadable", "The adapter cannot be read at the moment: Stale file handle."),
        OSError(116, "Stale file handle"),
        TimeoutError(),
        RuntimeError("RPC call to add_lora timed out: /mnt/registry/cni"),
    ],
)
async def test_what_is_no_validation_error_is_503_and_backs_off(root: Path, start: Any, fault: Exception) -> None:
    (first,) = registered(root, 1)
    async with start() as server:
        plane = server.context.plane
        await plane.residency.leave(f"cni@{first}")
        server.engine.load_faults = [fault]
        answer = await server.ask("cni")
        assert answer.status_code == 503 and "retry-after" in answer.headers, answer.text
        assert "/mnt" not in answer.text
        again = await server.ask("cni")
        assert again.status_code == 503, "it is not asked again at once"
        await answered(server, "cni")
        assert plane.catalogue.adapter("cni").weights == {first: 1.0}
        assert not errors(await metrics(server), f"cni@{first}"), "no answer of the revision's own failed"


async def answered(server: Any, model: str) -> None:
    for _ in range(200):
        if (await server.ask(model)).status_code == 200:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{model} does not come back")


async def test_what_validation_refuses_is_404_and_reconsidered_after_a_while(root: Path, start: Any) -> None:
    first, second = registered(root, 2)
    async with start() as server:
        plane = server.context.plane
        now = [0.0]
        plane.reader.refusals._clock = lambda: now[0]
        await plane.residency.leave(f"cni@{second}")
        server.engine.load_faults = [Refused("engine", "The engine does not load the adapter: rank 3.")]
        answer = await server.ask(f"cni@{second}")
        assert answer.status_code == 404 and "rank 3" in answer.text
        assert (await server.ask(f"cni@{second}")).status_code == 404
        now[0] = 301.0
        await answered(server, f"cni@{second}")
        assert plane.catalogue.adapter("cni").weights == {first: 1.0}


@pytest.mark.parametrize("content", ["x", '{"serial": NaN}', "[" * 100_000])
async def test_a_registry_that_cannot_be_read_is_no_empty_one(root: Path, start: Any, content: str) -> None:
    """Not ready, with the reason, until it can be read; then everything is there without a restart."""
    registered(root, 1)
    good = (root / "state.json").read_text()
    (root / "state.json").write_text(content)
    async with start(wait_until_ready=False) as server, server.client() as client:
        for _ in range(3):
            answer = await client.get("/ready")
            assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.02)
        assert "state.json" in answer.text and "restore" in answer.text
        (root / "state.json").write_text(good)
        for _ in range(200):
            if (await client.get("/ready")).status_code == 200:
                break
            await asyncio.sleep(0.02)
        assert (await server.ask("cni")).status_code == 200


async def test_a_registry_that_is_damaged_later_changes_nothing_and_refuses_changes(root: Path, start: Any) -> None:
    first, second = registered(root, 2)
    async with start() as server, server.client() as client:
        good = (root / "state.json").read_text()
        (root / "state.json").write_text("{")
        await asyncio.sleep(0.15)
        assert (await server.ask("cni")).json()["model"] == f"cni@{first}"
        assert (await client.get("/ready")).status_code == 200
        refused = await client.put("/v1/adapters/cni", json={"revision": second})
        assert refused.status_code == 503 and "restore" in refused.text
        (root / "state.json").write_text(good)
        assert (await client.put("/v1/adapters/cni", json={"revision": second})).status_code == 200
        assert (await server.ask("cni")).json()["model"] == f"cni@{second}"


SHAPE = b'{"a": {"dtype": "F32", "shape": [%s], "data_offsets": [0, 0]}}'
BROKEN: dict[str, dict[str, bytes]] = {
    "manifest with NaN": {"manifest.json": b'{"format": 1, "training": {"loss": NaN}}'},
    "manifest with an overflow": {"manifest.json": b'{"format": 1, "training": {"loss": 1e999}}'},
    "manifest that is deep": {"manifest.json": b"[" * 100_000},
    "manifest that is a list": {"manifest.json": b"[]"},
    "manifest of bytes": {"manifest.json": b"\xff\xfe\x00"},
    "configuration that is deep": {"adapter_config.json": b'{"a":' * 100_000},
    "shape that overflows": {
        "adapter_model.safetensors": header(b'{"a":{"dtype":"F32","shape":[1e400],"data_offsets":[0,0]}}')
    },
    "header that is deep": {"adapter_model.safetensors": header(b"[" * 100_000)},
    "header that is a list": {"adapter_model.safetensors": header(b"[]")},
    "shape of huge numbers": {
        "adapter_model.safetensors": header(
            b'{"a":{"dtype":"F32","shape":[' + b"9" * 4000 + b'],"data_offsets":[0,0]}}'
        )
    },
}


@pytest.mark.parametrize("flat", [True, False])
async def test_one_bad_folder_is_refused_alone(root: Path, start: Any, flat: bool) -> None:
    write_adapter(root / "good", seed=1)
    for index, files in enumerate(BROKEN.values()):
        folder = write_adapter(root / f"bad-{index}" / ("" if flat else "0123456789ab"), seed=index)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    os.mkfifo(write_adapter(root / "pipe", seed=3) / "manifest.json")
    async with start() as server, server.client() as client:
        assert (await client.get("/ready")).status_code == 200
        assert (await server.ask("good")).status_code == 200
        for index, name in enumerate(BROKEN):
            answer = await server.ask(f"bad-{index}")
            assert answer.status_code == 404 and answer.json()["error"]["message"].count("\n") == 0, (name, answer.text)
        assert (await server.ask("pipe")).status_code == 404


async def test_slow_downloads_hold_up_no_rollback_and_end_in_429(root: Path, start: Any) -> None:
    first, second = registered(root, 2)
    slow = threading.Event()

    def fetch(staging: Path) -> Taken:
        slow.wait(60)
        raise Refused("config-missing", "Nothing came.")

    async with start(fetches=2, fetch_queue=38) as server, server.client() as client:
        admin = server.context.admin
        fetching = [asyncio.create_task(admin.register("local", f"slow-{index}", fetch)) for index in range(40)]
        await asyncio.sleep(0.05)
        with pytest.raises(TooMany):
            await admin.register("local", "one-more", fetch)
        assert (await client.put("/v1/adapters/cni", json={"revision": second})).status_code == 200
        assert (await client.post("/v1/adapters/cni/rollback")).json()["weights"] == {first: 1.0}
        assert (await server.ask(f"cni@{second}")).status_code == 200, "a cold load goes on as well"
        assert not any(task.done() for task in fetching)
        slow.set()
        results = await asyncio.gather(*fetching, return_exceptions=True)
        assert {type(result) for result in results} == {Unprocessable}


async def test_a_download_that_hangs_ends_and_leaves_nothing(root: Path, start: Any) -> None:
    hanging = threading.Event()

    def fetch(staging: Path) -> Taken:
        hanging.wait(60)
        return Taken(staging)

    async with start(fetches=1, fetch_queue=3, fetch_seconds=0.1) as server:
        for _ in range(5):
            with pytest.raises(Unavailable, match="within"):
                await server.context.admin.register("local", "slow", fetch)
        assert not list((root / ".incoming").iterdir())
        hanging.set()


async def test_an_adapter_that_was_dropped_in_is_proved_at_its_first_load_and_only_then(root: Path, start: Any) -> None:
    write_adapter(root / "good", seed=1)
    write_adapter(root / "void", seed=2)
    async with start() as server:
        server.engine.same_as_base = True
        await server.context.plane.residency.leave(server.context.plane.residency.resident()[0].public_name)
        asked = server.engine.asked
        assert (await server.ask("good")).status_code == 200, "proved at the start, and not again"
        assert server.engine.asked == asked
    for proof in (root / PROOFS).iterdir():
        proof.unlink()
    async with start() as server:
        pass
    assert len(list((root / PROOFS).iterdir())) == 2
    for proof in (root / PROOFS).iterdir():
        proof.write_text("another base")
    async with start(same_as_base=True) as server:
        answer = await server.ask("void")
        assert answer.status_code == 404 and "exactly the base's" in answer.json()["error"]["message"]
        assert not server.engine.loaded


async def test_counters_exist_at_zero_and_follow_what_happens(root: Path, start: Any) -> None:
    first, second = registered(root, 2)
    async with start() as server:
        Registry(root).switch("cni", {first: 1.0})
        await server.context.plane.refresh()
        server.context.plane.begin_metrics()
        values = await metrics(server)
        who = f'adapter="cni",revision="{first}"'
        base = 'adapter="base",revision=""'
        for labels in (who, base):
            assert values[f"cni_server_requests_total{{{labels}}}"] == 0
            for kind in ("client", "server", "stream", "disconnected"):
                name, revision = labels.split(",")
                assert values[f'cni_server_errors_total{{{name},kind="{kind}",{revision}}}'] == 0
        async with server.client() as client:
            await client.put("/v1/adapters/cni", json={"revision": second})
            await client.post("/v1/adapters/cni/rollback")
        assert (await server.ask("cni")).status_code == 200
        values = await metrics(server)
        other = f'adapter="cni",revision="{second}"'
        assert values[f"cni_server_revision_switches_total{{{other}}}"] == 1
        assert values[f'cni_server_revision_rollbacks_total{{adapter="cni",reason="manual",revision="{second}"}}'] == 1
        assert values[f"cni_server_revision_loads_total{{{other}}}"] >= 1
        assert values[f"cni_server_revision_load_seconds_count{{{other}}}"] >= 1
        assert values[f'cni_server_revision_evictions_total{{adapter="cni",reason="left",revision="{second}"}}'] == 1
        size = (root / "cni" / first / "adapter_model.safetensors").stat().st_size
        tiers = {
            t: values.get(f'cni_server_revision_resident_bytes{{{who},tier="{t}"}}', 0) for t in ("memory", "disk")
        }
        assert tiers == {"memory": size, "disk": size}
        assert values[f'cni_server_revision_resident_bytes{{{who},tier="slot"}}'] > 0
        assert values[f"cni_server_admission_seconds_count{{{who}}}"] == 1
        assert values[f"cni_server_traffic_share{{{who}}}"] == 1

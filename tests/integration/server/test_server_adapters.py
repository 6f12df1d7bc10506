"""The admin routes and what requests get after them, in process, over a fake engine."""

import asyncio
import io
import json
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

from adapters.registry.confidences import carry
from adapters.registry.store import Registry
from tests.support.checkpoints import LEFT_BY_TRAINER, write_checkpoint
from tests.support.tiny_models import adapter_config, manifest_for, write_adapter


def packed(tmp_path: Path, base: Path | None = None, seed: int = 1, **manifest: Any) -> bytes:
    folder = write_adapter(
        tmp_path / f"made-{seed}", seed=seed, manifest=manifest_for(base, **manifest) if base else None
    )
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path in folder.iterdir():
            archive.add(path, path.name)
    return buffer.getvalue()


async def upload(server: Any, archive: bytes, name: str = "cni") -> Any:
    async with server.client() as client:
        return await client.post(f"/v1/adapters/{name}/revisions", files={"file": ("a.tar.gz", archive)})


async def put(server: Any, body: dict[str, Any], name: str = "cni") -> Any:
    async with server.client() as client:
        return await client.put(f"/v1/adapters/{name}", json=body)


async def test_from_upload_to_answer_to_switch_to_rollback(tmp_path: Path, base_folder: Path, start: Any) -> None:
    async with start() as server:
        one = await upload(server, packed(tmp_path, base_folder, 1))
        assert one.status_code == 201, one.text
        first = one.json()["revision"]
        assert {"values", "digest", "effect"} <= set(one.json()["checks"])
        assert (await server.ask("cni")).json()["model"] == f"cni@{first}"

        second = (await upload(server, packed(tmp_path, base_folder, 2))).json()["revision"]
        assert (await server.ask("cni")).json()["model"] == f"cni@{first}"
        assert (await server.ask(f"cni@{second}")).json()["model"] == f"cni@{second}"

        switched = await put(server, {"revision": second[:6]})
        assert switched.status_code == 200 and switched.json()["weights"] == {second: 1.0}
        assert (await server.ask("cni")).json()["model"] == f"cni@{second}"

        async with server.client() as client:
            back = await client.post("/v1/adapters/cni/rollback")
            assert back.json()["weights"] == {first: 1.0}
            assert (await client.post("/v1/adapters/cni/rollback")).status_code == 409
        assert (await server.ask("cni")).json()["model"] == f"cni@{first}"


async def test_the_same_upload_again_is_the_same_revision(tmp_path: Path, start: Any) -> None:
    async with start() as server:
        first = await upload(server, packed(tmp_path))
        again = await upload(server, packed(tmp_path))
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["revision"] == again.json()["revision"]


async def test_a_refused_upload_leaves_nothing(tmp_path: Path, base_folder: Path, start: Any, root: Path) -> None:
    async with start() as server:
        answer = await upload(server, b"no archive")
        assert answer.status_code == 422
        assert answer.json()["error"]["code"] == "archive-format"
        server.engine.same_as_base = True
        answer = await upload(server, packed(tmp_path, base_folder))
        assert answer.json()["error"]["code"] == "no-effect"
        server.engine.same_as_base = False
        golden = {"floor": 1.0, "cases": [{"prompt": "a", "expected": "A"}, {"prompt": "b", "expected": "no"}]}
        answer = await upload(server, packed(tmp_path, base_folder, 3, golden=golden))
        assert answer.json()["error"]["code"] == "golden"
        assert not server.engine.loaded
    left = [path for path in root.rglob("*") if path.is_file() and path.name not in {".lock", "audit.jsonl"}]
    assert left == [] and not list((root / ".incoming").iterdir())
    audit = [json.loads(line) for line in (root / "audit.jsonl").read_text().splitlines()]
    assert [entry["action"] for entry in audit] == ["register"] * 3
    assert audit[0]["who"] == "local" and "archive" in audit[0]["result"]


async def test_a_golden_set_that_passes(tmp_path: Path, base_folder: Path, start: Any) -> None:
    golden = {"floor": 0.5, "cases": [{"prompt": "[1,null]".lower(), "expected": "[1,NULL]"}]}
    async with start() as server:
        answer = await upload(server, packed(tmp_path, base_folder, golden=golden))
        assert answer.status_code == 201 and "golden" in answer.json()["checks"]


async def test_temperature_is_zero_for_adapters_only_and_only_unless_asked(tmp_path: Path, start: Any) -> None:
    async with start() as server:
        await upload(server, packed(tmp_path))
        assert (await server.ask("cni")).json()["temperature"] == 0.0
        assert (await server.ask("cni", temperature=0.7)).json()["temperature"] == 0.7
        assert (await server.ask("tiny-base")).json()["temperature"] is None


async def test_split_shares_traffic_and_is_sticky_by_user(tmp_path: Path, start: Any) -> None:
    async with start() as server:
        first = (await upload(server, packed(tmp_path, seed=1))).json()["revision"]
        second = (await upload(server, packed(tmp_path, seed=2))).json()["revision"]
        assert (await put(server, {"split": {first: 75, second: 25}})).status_code == 200
        answers = Counter([(await server.ask("cni")).json()["model"] for _ in range(200)])
        assert 20 <= answers[f"cni@{second}"] <= 85
        for user in ("ana", "bo", "cy", "di"):
            assert len({(await server.ask("cni", user=user)).json()["model"] for _ in range(10)}) == 1


async def test_a_failing_split_rolls_back_by_itself(tmp_path: Path, start: Any) -> None:
    async with start(split_min_requests=5) as server:
        first = (await upload(server, packed(tmp_path, seed=1))).json()["revision"]
        second = (await upload(server, packed(tmp_path, seed=2))).json()["revision"]
        await put(server, {"split": {first: 50, second: 50}})
        server.engine.fail.add(f"cni@{second}")
        for _ in range(60):
            await server.ask("cni")
        await asyncio.sleep(0.2)
        answers = [await server.ask("cni") for _ in range(20)]
        assert {answer.json()["model"] for answer in answers} == {f"cni@{first}"}
        async with server.client() as client:
            text = (await client.get("/metrics")).text
        assert 'cni_server_rollbacks_total{adapter="cni",reason="automatic"} 1.0' in text


async def test_invalid_answers_that_the_front_reports_roll_back_too(tmp_path: Path, start: Any) -> None:
    async with start(split_min_requests=5) as server:
        first = (await upload(server, packed(tmp_path, seed=1))).json()["revision"]
        second = (await upload(server, packed(tmp_path, seed=2))).json()["revision"]
        await put(server, {"split": {first: 50, second: 50}})
        async with server.client() as client:
            for _ in range(6):
                answer = (await server.ask(f"cni@{second}")).json()
                report = {"model": f"cni@{second}", "outcome": "invalid_json", "request_id": answer["id"]}
                assert (await client.post("/v1/feedback", json=report)).status_code == 204
            await asyncio.sleep(0.2)
            assert (await client.get("/v1/adapters/cni")).json()["serving"] == {first: 1.0}


async def test_running_requests_finish_on_what_they_began_with(tmp_path: Path, start: Any) -> None:
    async with start() as server:
        first = (await upload(server, packed(tmp_path, seed=1))).json()["revision"]
        second = (await upload(server, packed(tmp_path, seed=2))).json()["revision"]
        third = (await upload(server, packed(tmp_path, seed=3))).json()["revision"]
        server.engine.gate.clear()
        running = asyncio.create_task(server.ask("cni", stream=True))
        await asyncio.sleep(0.05)
        await put(server, {"revision": second})
        await put(server, {"revision": third})
        assert f"cni@{first}" in server.engine.loaded
        async with server.client() as client:
            server_refuses = await client.delete(f"/v1/adapters/cni/revisions/{first}")
            assert server_refuses.status_code == 409
        server.engine.gate.set()
        assert (await running).text == f"data: cni@{first}\n\n" * 3
        await asyncio.sleep(0.1)
        assert set(server.engine.loaded) == {f"cni@{second}", f"cni@{third}"}


async def test_a_restart_serves_what_was_acknowledged(tmp_path: Path, start: Any) -> None:
    async with start() as server:
        await upload(server, packed(tmp_path, seed=1))
        second = (await upload(server, packed(tmp_path, seed=2))).json()["revision"]
        await put(server, {"revision": second})
        async with server.client() as client:
            await client.put("/v1/adapters/cni/pin")
    async with start() as server:
        assert (await server.ask("cni")).json()["model"] == f"cni@{second}"
        async with server.client() as client:
            shown = (await client.get("/v1/adapters/cni")).json()["revisions"]
        assert {entry["revision"]: entry["pinned"] for entry in shown}[second] is True


async def test_another_servers_switch_is_followed(tmp_path: Path, start: Any, root: Path) -> None:
    async with start() as server:
        await upload(server, packed(tmp_path, seed=1))
        second = (await upload(server, packed(tmp_path, seed=2))).json()["revision"]
        Registry(root).switch("cni", {second: 1.0})
        for _ in range(100):
            await asyncio.sleep(0.02)
            if (await server.ask("cni")).json()["model"] == f"cni@{second}":
                break
        else:
            raise AssertionError("not followed within two seconds")


async def test_bad_folders_are_listed_with_the_reason_and_stop_nothing(root: Path, start: Any) -> None:
    write_adapter(root / "other", config=adapter_config(base_model_name_or_path="Qwen/Qwen3-0.6B"))
    write_adapter(root / "broken").joinpath("adapter_model.safetensors").write_bytes(b"x" * 50)
    write_adapter(root / "good")
    async with start() as server:
        assert (await server.ask("good")).status_code == 200
        other = await server.ask("other")
        assert other.status_code == 404 and "Qwen" in other.json()["error"]["message"]
        async with server.client() as client:
            listed = {a["name"]: a["revisions"][0] for a in (await client.get("/v1/adapters")).json()["data"]}
            models = [card["id"] for card in (await client.get("/v1/models")).json()["data"]]
        assert listed["other"]["state"] == "refused" and listed["other"]["check"] == "base-name"
        assert listed["broken"]["check"] == "safetensors"
        assert models[:2] == ["tiny-base", "good"] and len(models) == 3


async def test_a_revision_that_was_changed_on_disk_is_refused_at_its_first_load(root: Path, start: Any) -> None:
    registry = Registry(root)
    revision, _ = registry.register("cni", write_adapter(root / ".incoming" / "x", seed=1))
    write_adapter(root / "cni" / revision, seed=2)
    async with start() as server:
        answer = await server.ask("cni")
        assert answer.status_code == 404 and revision in answer.json()["error"]["message"]


async def test_models_show_contracts_and_no_paths(tmp_path: Path, base_folder: Path, start: Any, root: Path) -> None:
    prompt = {"answer": "lines", "line": "{text} {index}\n", "suffix": "", "documents": {}}
    async with start() as server:
        await upload(server, packed(tmp_path, base_folder, prompt=prompt))
        async with server.client() as client:
            text = (await client.get("/v1/models")).text
            cards = {card["id"]: card for card in json.loads(text)["data"]}
            one = (await client.get("/v1/models/cni")).json()
        assert one == cards["cni"] and one["parent"] == "tiny-base" and one["root"].startswith("cni@")
        assert one["prompt"] == prompt
        assert str(root) not in text and str(base_folder) not in text
        assert (await server.ask("cni")).status_code == 200
        async with server.client() as client:
            stale = {"X-Prompt-Sha256": "0" * 64}
            changed = await client.post("/v1/completions", json={"model": "cni"}, headers=stale)
            assert changed.status_code == 409 and changed.json()["error"]["code"] == "prompt_changed"


async def test_weights_of_confidences_are_told_once_a_revision_carries_them(
    tmp_path: Path, base_folder: Path, start: Any, root: Path
) -> None:
    weights = {"evidence": 2, "intercept": 0.5, "weights": {"model": 1.0}}
    async with start() as server:
        await upload(server, packed(tmp_path, base_folder))
        async with server.client() as client:
            before = (await client.get("/v1/models/cni")).json()
            assert "calibration" not in before
            carry(root, before["root"], weights)
            for _ in range(200):
                if "calibration" in (now := (await client.get("/v1/models/cni")).json()):
                    break
                await asyncio.sleep(0.02)
        assert now == {**before, "calibration": weights}
        assert (await server.ask("cni")).status_code == 200


async def test_many_adapters_through_few_places(start: Any, root: Path, tmp_path: Path) -> None:
    for seed in range(12):
        write_adapter(root / f"a{seed}", seed=seed)
    async with start(max_cpu_loras=3, max_loras=1) as server:
        answers = await asyncio.gather(*(server.ask(f"a{seed % 12}") for seed in range(60)))
        assert {answer.status_code for answer in answers} == {200}
        assert len(server.engine.loaded) <= 3
        assert server.context.metrics.revisions.total_evictions >= 9


async def test_import_root_is_not_left(tmp_path: Path, start: Any) -> None:
    imports = tmp_path / "imports"
    write_adapter(imports / "one", seed=1)
    (imports / "out").symlink_to("/etc")
    write_adapter(tmp_path / "outside", seed=2)
    async with start(import_root=imports) as server, server.client() as client:
        route = "/v1/adapters/cni/revisions"
        assert (await client.post(route, json={"path": "one"})).status_code == 201
        for path in ("../outside", "out", "/etc", str(tmp_path / "outside"), "s3://bucket/x", "file:///etc"):
            assert (await client.post(route, json={"path": path})).status_code == 403, path
        assert (await client.post(route, json={"path": "two"})).status_code == 404
        assert (await client.post(route, json={"paths": "one"})).status_code == 400


async def test_remote_source_by_fsspec(tmp_path: Path, start: Any, root: Path, base_folder: Path) -> None:
    import fsspec

    folder = write_adapter(tmp_path / "source", seed=4)
    memory = fsspec.filesystem("memory")
    for path in folder.iterdir():
        memory.pipe(f"/models/cni/{path.name}", path.read_bytes())
    memory.pipe("/models/cni/code.py", b"raise SystemExit")
    async with start(remote_sources="memory://models/") as server, server.client() as client:
        route = "/v1/adapters/cni/revisions"
        answer = await client.post(route, json={"path": "memory://models/cni"})
        assert answer.status_code == 201, answer.text
        revision = answer.json()["revision"]
        assert sorted(p.name for p in (root / "cni" / revision).iterdir()) == [
            "adapter_config.json",
            "adapter_model.safetensors",
        ]
        assert (await client.post(route, json={"path": "memory://other/cni"})).status_code == 403
        missing = await client.post(route, json={"path": "memory://models/none"})
        assert missing.status_code in {400, 422}


async def test_pins_stay_and_leave_one_place(root: Path, start: Any) -> None:
    for seed in range(8):
        write_adapter(root / f"a{seed}", seed=seed)
    async with start(max_cpu_loras=3, max_loras=3) as server, server.client() as client:
        assert (await client.put("/v1/adapters/a0/pin")).status_code == 200
        assert (await client.put("/v1/adapters/a1/pin")).status_code == 200
        full = await client.put("/v1/adapters/a2/pin")
        assert full.status_code == 409 and "keeps at most 2" in full.json()["error"]["message"]
        for seed in range(2, 8):
            assert (await server.ask(f"a{seed}")).status_code == 200
        assert {name.partition("@")[0] for name in server.engine.loaded} == {"a0", "a1", "a7"}
        assert (await client.delete("/v1/adapters/a0/pin")).json()["pinned"] == []
        for seed in range(2, 6):
            await server.ask(f"a{seed}")
        assert "a0" not in {name.partition("@")[0] for name in server.engine.loaded}


async def test_a_deleted_revision_is_gone_everywhere(tmp_path: Path, start: Any, root: Path) -> None:
    async with start() as server, server.client() as client:
        first = (await upload(server, packed(tmp_path, seed=1))).json()["revision"]
        second = (await upload(server, packed(tmp_path, seed=2))).json()["revision"]
        assert (await server.ask(f"cni@{second}")).status_code == 200
        refused = await client.delete(f"/v1/adapters/cni/revisions/{first}")
        assert refused.status_code == 409 and "switch it first" in refused.json()["error"]["message"]
        assert (await client.delete(f"/v1/adapters/cni/revisions/{second}")).status_code == 200
        assert (await server.ask(f"cni@{second}")).status_code == 404
        assert f"cni@{second}" not in server.engine.loaded and not (root / "cni" / second).exists()
        assert not list((root / ".trash").iterdir())


async def test_bad_admin_requests(tmp_path: Path, base_folder: Path, start: Any) -> None:
    prompt = {"answer": "lines", "line": "{text}", "suffix": "", "documents": {}}
    async with start() as server, server.client() as client:
        first = (await upload(server, packed(tmp_path, base_folder, 1, prompt=prompt))).json()["revision"]
        other = {**prompt, "suffix": "x"}
        second = (await upload(server, packed(tmp_path, base_folder, 2, prompt=other))).json()["revision"]
        cases: list[tuple[dict[str, Any], int]] = [
            ({}, 400),
            ({"revision": first, "split": {first: 1}}, 400),
            ({"revision": "zzz"}, 404),
            ({"revision": ""}, 400),
            ({"split": {}}, 400),
            ({"split": {first: 0}}, 400),
            ({"split": {first: -1, second: 2}}, 400),
            ({"split": {first: "many"}}, 400),
            ({"split": {first: 1, first[:6]: 1}}, 409),
            ({"split": {first: 1, second: 1}}, 409),  # different prompt contracts
        ]
        for body, status in cases:
            answer = await client.put("/v1/adapters/cni", json=body)
            assert answer.status_code == status, (body, answer.text)
        assert (await client.put("/v1/adapters/none", json={"revision": first})).status_code == 404
        assert (await upload(server, packed(tmp_path), "tiny-base")).json()["error"]["code"] == "name"
        assert (await client.post("/v1/adapters/cni/revisions", content=b"x")).status_code == 400
        wrong = await client.post("/v1/adapters/cni/revisions", files={"other": ("a", b"x")})
        assert wrong.status_code == 400
        assert (await client.get("/v1/adapters/cni")).json()["serving"] == {first: 1.0}


CONTRACT = """
chat: {user: "Read:\\n{lines}"}
documents: {invoice: {fields: [total]}}
"""


def _checkpoint(tmp_path: Path, **config: Any) -> bytes:
    folder = write_checkpoint(tmp_path / "made" / "checkpoint-938", **config)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.add(folder, folder.name)
    return buffer.getvalue()


async def test_a_checkpoint_with_a_contract_is_adopted(tmp_path: Path, base_folder: Path, start: Any) -> None:
    archive = _checkpoint(tmp_path, base_model_name_or_path=f"/elsewhere/{base_folder.name}")
    route, files = "/v1/adapters/checkpoint-938/revisions", {"file": ("a.tgz", archive)}
    async with start() as server, server.client() as client:
        made = await client.post(route, files=files, data={"contract": CONTRACT})
        assert made.status_code == 201, made.text
        assert set(LEFT_BY_TRAINER) <= set(made.json()["left_out"])
        again = await client.post(route, files=files, data={"contract": CONTRACT})
        assert (again.status_code, again.json()["revision"]) == (200, made.json()["revision"])
        as_file = {**files, "contract": ("contract.yaml", CONTRACT.replace("[total]", "[total, date]").encode())}
        changed = await client.post(route, files=as_file)
        assert changed.status_code == 201 and changed.json()["revision"] != made.json()["revision"]
        listed = {model["id"]: model for model in (await client.get("/v1/models")).json()["data"]}
        assert listed["checkpoint-938"]["prompt"]["documents"]["invoice"]["fields"] == ["total"]
        wrong = await client.post(route, files=files, data={"contract": "chat: {user: none}"})
        assert wrong.status_code == 422 and "The contract file" in wrong.json()["error"]["message"]


async def test_a_checkpoint_of_another_base_is_refused_even_with_a_contract(tmp_path: Path, start: Any) -> None:
    archive = _checkpoint(tmp_path, base_model_name_or_path="Qwen/Qwen3-1.7B")
    async with start() as server, server.client() as client:
        route = "/v1/adapters/cni/revisions"
        refused = await client.post(route, files={"file": ("a.tgz", archive)}, data={"contract": CONTRACT})
        assert refused.status_code == 422 and refused.json()["error"]["code"] == "base-name"


async def test_a_change_from_a_state_that_is_no_longer_is_not_made(tmp_path: Path, start: Any, root: Path) -> None:
    """Two people look, both switch: the second one is told, instead of undoing the first one's change."""
    async with start() as one, start() as two, one.client() as first, two.client() as second:
        revisions = [(await upload(one, packed(tmp_path, seed=seed))).json()["revision"] for seed in (1, 2, 3)]
        await two.context.plane.refresh()
        seen = (await first.get("/v1/adapters/cni")).headers["etag"]
        match = {"If-Match": seen}
        done = await first.put("/v1/adapters/cni", json={"revision": revisions[1]}, headers=match)
        assert done.status_code == 200 and done.headers["etag"] != seen
        late = await second.put("/v1/adapters/cni", json={"revision": revisions[2]}, headers=match)
        assert late.status_code == 412 and late.json()["error"]["code"] == "changed"
        assert (await second.post("/v1/adapters/cni/rollback", headers=match)).status_code == 412
        now = (await first.get("/v1/adapters/cni")).headers["etag"]
        assert now == done.headers["etag"]
        several = {"If-Match": f'W/"old", {now}'}
        assert (await second.post("/v1/adapters/cni/rollback", headers=several)).json()["weights"] == {
            revisions[0]: 1.0
        }
        anything = await second.put("/v1/adapters/cni", json={"revision": revisions[2]}, headers={"If-Match": "*"})
        assert anything.status_code == 200


async def test_the_tag_of_an_alias_that_nobody_has_set_counts_as_well(start: Any, root: Path) -> None:
    write_adapter(root / "flat", seed=1)
    async with start() as server, server.client() as client:
        shown = await client.get("/v1/adapters/flat")
        (revision,) = shown.json()["serving"]
        change = {"json": {"revision": revision}, "headers": {"If-Match": shown.headers["etag"]}}
        assert (await client.put("/v1/adapters/flat", **change)).status_code == 200


async def test_an_adapter_is_retired_when_nobody_uses_it(tmp_path: Path, start: Any, root: Path) -> None:
    async with start() as server, server.client() as client:
        revision = (await upload(server, packed(tmp_path, seed=1))).json()["revision"]
        last = await client.delete(f"/v1/adapters/cni/revisions/{revision}")
        assert last.status_code == 409 and "retire" in last.json()["error"]["message"]
        server.engine.gate.clear()
        asking = asyncio.create_task(server.ask("cni"))
        for _ in range(200):
            if server.context.plane.residency.in_use(f"cni@{revision}"):
                break
            await asyncio.sleep(0.01)
        assert (await client.delete("/v1/adapters/cni")).status_code == 409
        server.engine.gate.set()
        assert (await asking).status_code == 200
        assert (await client.delete("/v1/adapters/cni")).json() == {"adapter": "cni", "deleted": True}
        assert not server.engine.loaded and not (root / "cni").exists()
        assert (await server.ask("cni")).status_code == 404
        assert (await client.delete("/v1/adapters/cni")).status_code == 404
        assert (await upload(server, packed(tmp_path, seed=1))).status_code == 201
        assert (await server.ask("cni")).status_code == 200


async def test_a_checkpoint_with_everything_that_training_left_is_uploaded(
    tmp_path: Path, start: Any, root: Path
) -> None:
    folder = write_adapter(tmp_path / "checkpoint-938", seed=1)
    for name in ("optimizer.pt", "scheduler.pt", "rng_state.pth", "training_args.bin", "trainer_state.json"):
        (folder / name).write_bytes(b"\x80\x04x.")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.add(folder, folder.name)
    async with start() as server:
        answer = await upload(server, buffer.getvalue())
        assert answer.status_code == 201, answer.text
        assert set(answer.json()["left_out"]) >= {"optimizer.pt", "training_args.bin", "rng_state.pth"}
        kept = {path.name for path in (root / "cni" / answer.json()["revision"]).iterdir()}
        assert kept == {"adapter_config.json", "adapter_model.safetensors"}
        assert (await server.ask("cni")).status_code == 200


async def test_a_prefix_of_sources_ends_where_a_folder_does(tmp_path: Path, start: Any) -> None:
    async with start(remote_sources="memory://models,https://host/models/") as server, server.client() as client:
        route = "/v1/adapters/cni/revisions"
        for outside in (
            "memory://models-of-others/x",
            "https://host/models/%2e%2e/private",
            "https://host/models/%252e%252e/private",
            "https://host/models/../private",
            "https://host/modelsX",
        ):
            assert (await client.post(route, json={"path": outside})).status_code == 403, outside
        assert (await client.post(route, json={"path": "memory://models/none"})).status_code in {400, 422}

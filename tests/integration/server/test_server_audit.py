"""Every admin action leaves one line: who, what, when, with which result; never a key."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.registry.store import Registry
from server.auth.keys import Key, hash_secret
from server.auth.keys_edit import add_key
from tests.support.tiny_models import write_adapter

SECRET = "sk-of-the-boss-123456"


async def test_each_action_and_each_refusal_is_written_down(tmp_path: Path, root: Path, start: Any) -> None:
    add_key(tmp_path / "keys.json", Key(id="boss", sha256=hash_secret(SECRET), scopes=frozenset({"admin"})))
    write_adapter(tmp_path / "imports/third", seed=3)
    registry = Registry(root)
    first, second = (
        registry.register("cni", write_adapter(root / ".incoming" / str(seed), seed=seed))[0] for seed in (1, 2)
    )
    began = datetime.now(UTC).replace(microsecond=0)  # the log has milliseconds
    async with start(keys_file=tmp_path / "keys.json", import_root=tmp_path / "imports") as server:
        async with server.client(SECRET) as client:
            cni = "/v1/adapters/cni"
            done = [
                await client.put(cni, json={"revision": first}),
                await client.put(cni, json={"split": {first: 90, second: 10}}),
                await client.put(cni, json={"revision": "f" * 12}),
                await client.post(f"{cni}/rollback"),
                await client.put(f"{cni}/pin"),
                await client.delete(f"{cni}/pin"),
                await client.delete(f"{cni}/revisions/{first}"),
                await client.delete(f"{cni}/revisions/{second}"),
                await client.post(f"{cni}/revisions", json={"path": "third"}),
            ]
        async with server.client("wrong") as nobody:
            assert (await nobody.post(f"{cni}/rollback")).status_code == 401
    assert [answer.status_code for answer in done] == [200, 200, 404, 200, 200, 200, 409, 200, 201]
    text = (root / "audit.jsonl").read_text()
    entries = [json.loads(line) for line in text.splitlines()]
    actions = ["route", "route", "route", "rollback", "pin", "unpin", "delete", "delete", "register"]
    assert [entry["action"] for entry in entries] == actions
    for entry, answer in zip(entries, done, strict=True):
        assert entry["who"] == "boss" and entry["adapter"] == "cni"
        assert began <= datetime.fromisoformat(entry["time"]) <= datetime.now(UTC)
        good = answer.status_code < 400
        assert entry["result"] == ("ok" if good else answer.json()["error"]["message"])
    assert entries[1]["weights"] == {first: 90, second: 10}
    assert entries[8]["revision"] == done[8].json()["revision"]
    assert SECRET not in text and hash_secret(SECRET) not in text

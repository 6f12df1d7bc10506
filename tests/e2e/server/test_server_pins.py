"""A pinned adapter keeps its slot in the engine, whatever the others do, and every answer stays right."""

import asyncio
import random
from pathlib import Path

from tests.support.live_server import LiveServer
from tests.support.tiny_models import write_adapter

SLOTS = 4  # SERVER_MAX_LORAS of this server


def slots(server: LiveServer) -> dict[str, float]:
    """What the metrics say is in slots, by adapter; and the hits and misses of slots."""
    with server.client("prometheus") as client:
        lines = [line for line in client.get("/metrics").text.splitlines() if line[0] != "#"]
    values = {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}
    start = 'cni_server_revision_resident_bytes{adapter="'
    held = {
        n.removeprefix(start).partition('"')[0]: v
        for n, v in values.items()
        if n.startswith(start) and 'tier="slot"' in n
    }
    return {**held, "misses": values['cni_server_slot_lookups_total{result="miss"}']}  # fmt: skip


async def test_pins_keep_their_slots_under_load(server: LiveServer, revisions: list[str], tmp_path: Path) -> None:
    names = [f"pin{index}" for index in range(8)]
    for seed, name in enumerate(names):
        write_adapter(tmp_path / name, seed=3000 + seed).rename(server.root / name)
    server.follow(set(names))
    alone = {name: server.complete(name)["choices"][0]["text"] for name in names}
    slots(server)  # from now on the engine counts
    with server.client("boss") as boss:
        for name in names[:2]:
            assert boss.put(f"/v1/adapters/{name}/pin").status_code == 200
        assert boss.put(f"/v1/adapters/{names[2]}/pin").status_code == 200
        full = boss.put(f"/v1/adapters/{names[3]}/pin")
        assert full.status_code == 409 and f"it has {SLOTS} slots" in full.json()["error"]["message"]
        assert boss.delete(f"/v1/adapters/{names[2]}/pin").status_code == 200
    rng = random.Random(2)
    seen = []
    async with server.asynchronous() as client:

        async def stream() -> None:
            for _ in range(12):
                name = rng.choice(names[2:])
                body = {"model": name, "prompt": "hello", "max_tokens": 8, "temperature": 0}
                answer = await client.post("/v1/completions", json=body)
                assert answer.status_code == 200, answer.text
                assert answer.json()["choices"][0]["text"] == alone[name], name

        async def look() -> None:
            for _ in range(10):
                seen.append(await asyncio.to_thread(slots, server))
                await asyncio.sleep(0.1)

        await asyncio.wait_for(asyncio.gather(look(), *(stream() for _ in range(12))), 300)
    assert all(set(names[:2]) <= set(held) for held in seen), "pinned adapters were always in slots"
    assert seen[-1]["misses"] > seen[0]["misses"], "the others took turns in what is left"
    for name in names[:2]:
        assert server.complete(name)["choices"][0]["text"] == alone[name]
        with server.client("boss") as boss:
            boss.delete(f"/v1/adapters/{name}/pin")

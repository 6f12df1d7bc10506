"""A request for an adapter that only a source has, over HTTP."""

import asyncio
from pathlib import Path
from typing import Any

from server.auth.keys import Key, hash_secret
from server.auth.keys_edit import add_key
from tests.support.tiny_models import write_adapter


async def test_an_adapter_is_found_at_its_first_request(tmp_path: Path, start: Any, root: Path) -> None:
    write_adapter(tmp_path / "store" / "found", seed=1)
    write_adapter(tmp_path / "store" / "broken", seed=2).joinpath("adapter_model.safetensors").write_bytes(b"no")
    keys = tmp_path / "keys.json"
    add_key(keys, Key(id="all", sha256=hash_secret("all"), scopes=frozenset({"inference"})))
    few = Key(id="few", sha256=hash_secret("few"), scopes=frozenset({"inference"}), adapters=frozenset({"other"}))
    add_key(keys, few)
    address = f"file://{tmp_path}/store"
    settings = {"remote_sources": address, "on_demand": f"{address}/{{name}}", "keys_file": keys}
    async with start(**settings) as server:
        assert (await server.ask("found", key="few")).status_code == 404, "a key that may not use it finds nothing"
        assert not (root / "found").exists()
        answers = await asyncio.gather(*(server.ask("found", key="all") for _ in range(5)))
        assert [answer.status_code for answer in answers] == [200] * 5, answers[0].text
        assert answers[0].json()["model"].startswith("found@")
        assert (root / ".on-demand" / "found").exists()
        for name, code in (("none", "model_not_found"), ("broken", "refused"), ("../store/found", "model_not_found")):
            answer = await server.ask(name, key="all")
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, code), answer.text
            assert str(tmp_path) not in answer.text


async def test_without_patterns_nothing_is_looked_for(start: Any) -> None:
    async with start() as server:
        assert server.context.on_demand is None
        assert (await server.ask("found")).status_code == 404

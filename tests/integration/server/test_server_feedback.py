"""A report counts against a revision when it is about an answer that this key got, once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from adapters.registry.store import Registry
from server.auth.keys import Key, hash_secret
from server.auth.keys_edit import add_key
from tests.support.tiny_models import write_adapter


@pytest.fixture
def split(root: Path) -> tuple[str, str]:
    """Two revisions of `cni`."""
    registry = Registry(root)
    first, second = (registry.register("cni", write_adapter(root / ".incoming" / str(s), seed=s))[0] for s in (1, 2))
    registry.switch("cni", {first: 50.0, second: 50.0})
    return first, second


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    for name, scope in (("one", "inference"), ("two", "inference"), ("router", "feedback")):
        add_key(path, Key(id=name, sha256=hash_secret(name), scopes=frozenset({scope})))  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize(
    ("reporter", "about", "counts"),
    [
        ("one", "own", True),
        ("router", "own", True),
        ("two", "own", False),
        ("one", "", False),
        ("one", "made-up", False),
        ("one", "first", False),
    ],
)
async def test_who_may_end_a_split(
    split: tuple[str, str], keys: Path, start: Any, reporter: str, about: str, counts: bool
) -> None:
    first, second = split
    async with start(keys_file=keys, split_min_requests=5) as server:
        model = f"cni@{second}"
        ids = [(await server.ask(model, key="one")).json()["id"] for _ in range(10)]
        async with server.client(reporter) as client:
            for one in ids:
                named = {"own": one, "first": ids[0], "": None}.get(about, about)
                report = {"model": model, "outcome": "invalid_json", **({"request_id": named} if named else {})}
                assert (await client.post("/v1/feedback", json=report)).status_code == 204
        await asyncio.sleep(0.2)
        weights = server.context.plane.catalogue.adapter("cni").weights
        assert (weights == {first: 1.0}) is counts


async def test_a_report_about_another_revisions_answer_does_not_count(split: tuple[str, str], start: Any) -> None:
    first, second = split
    async with start(split_min_requests=3) as server, server.client() as client:
        for _ in range(5):
            await server.ask(f"cni@{second}")
            answer = (await server.ask(f"cni@{first}")).json()
            report = {"model": f"cni@{second}", "outcome": "invalid_json", "request_id": answer["id"]}
            await client.post("/v1/feedback", json=report)
        assert len(server.context.plane.catalogue.adapter("cni").weights) == 2

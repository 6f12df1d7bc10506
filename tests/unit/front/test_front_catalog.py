"""The list of models while the server hangs, is away, changes, or lists what cannot be read."""

import asyncio
from typing import Any

import pytest

from ocr_frontend.errors import DeadlineExceeded, ModelServerAway, UnknownModel
from ocr_frontend.llm import catalog as module
from ocr_frontend.llm.catalog import Catalog


class Server:
    """Lists `entries`; waits on `gate` where there is one; raises `error` where there is one."""

    def __init__(self) -> None:
        self.entries: list[Any] = [{"id": "cni", "parent": "base"}]
        self.gate: asyncio.Event | None = None
        self.error: Exception | None = None
        self.asked = 0

    async def models(self) -> Any:
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        return {"data": self.entries}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def models(server: Server, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    monkeypatch.setattr(module, "_PATIENCE", 0.02)
    return Catalog(server, 3, clock)  # type: ignore[arg-type]


async def test_a_list_that_hangs_is_asked_for_once_while_the_last_one_serves(
    models: Catalog, server: Server, clock: Clock
) -> None:
    await models.find("cni")
    clock.now, server.gate = 10, asyncio.Event()
    found = await asyncio.gather(*(models.find("cni") for _ in range(64)))
    assert {card.id for card in found} == {"cni"} and server.asked == 2
    server.gate.set()
    await models.cards(must=True)


@pytest.mark.parametrize("error", [DeadlineExceeded("slow"), ModelServerAway("away")])
async def test_a_list_that_fails_is_left_alone_for_a_while(
    models: Catalog, server: Server, clock: Clock, error: Exception
) -> None:
    await models.find("cni")
    clock.now, server.error = 10, error
    for _ in range(5):
        assert (await models.find("cni")).id == "cni"
    assert server.asked == 2
    clock.now = 20
    await models.find("cni")
    assert server.asked == 3


async def test_without_any_list_the_failure_is_everybody_s(models: Catalog, server: Server) -> None:
    server.error = ModelServerAway("away")
    answers = await asyncio.gather(*(models.cards() for _ in range(8)), return_exceptions=True)
    assert all(isinstance(answer, ModelServerAway) for answer in answers) and server.asked == 1
    with pytest.raises(ModelServerAway):
        await models.cards()  # no empty list in its place


async def test_a_caller_that_leaves_does_not_end_the_call_of_the_others(models: Catalog, server: Server) -> None:
    server.gate = asyncio.Event()
    first, second = (asyncio.create_task(models.find("cni")) for _ in range(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    server.gate.set()
    assert (await second).id == "cni" and server.asked == 1
    await asyncio.gather(first, return_exceptions=True)


async def test_an_unknown_name_is_asked_for_afresh_once(models: Catalog, server: Server, clock: Clock) -> None:
    await models.find("cni")
    for _ in range(10):
        with pytest.raises(UnknownModel):
            await models.find("none")
    assert server.asked == 2
    server.entries = [{"id": "new"}]
    assert (await models.find("new")).id == "new"  # another name is not held back by it
    assert server.asked == 3


async def test_after_a_changed_prompt_the_old_list_serves_nobody(models: Catalog, server: Server) -> None:
    await models.find("cni")
    models.forget()
    server.entries = [{"id": "cni", "parent": "other"}]
    assert (await models.find("cni")).parent == "other"


async def test_an_entry_that_cannot_be_read_takes_no_other_with_it(models: Catalog, server: Server) -> None:
    server.entries = [{"root": "x"}, {"id": 7}, {"id": "cni"}]
    assert list(await models.cards()) == ["cni"]

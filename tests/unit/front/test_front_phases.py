"""Reading and asking in turns: prompts go together, reads wait for them, and nobody waits for ever."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from ocr_frontend.ocr.phases import NoPhases, Phases

Turn = Callable[[], AbstractAsyncContextManager[None]]


class Stage:
    """Who is inside now."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.out: dict[str, asyncio.Event] = {}
        self.tasks: list[asyncio.Task[None]] = []

    def enter(self, name: str, turn: Turn) -> asyncio.Task[None]:
        self.out[name] = asyncio.Event()

        async def run() -> None:
            async with turn():
                self.inside.append(name)
                try:
                    await self.out[name].wait()
                finally:
                    self.inside.remove(name)

        task = asyncio.create_task(run())
        self.tasks.append(task)
        return task


async def settle() -> None:
    for _ in range(8):
        await asyncio.sleep(0)


def played(scene: Callable[[Stage], Awaitable[None]]) -> None:
    async def play() -> None:
        stage = Stage()
        await scene(stage)
        for event in stage.out.values():
            event.set()
        await asyncio.wait_for(asyncio.gather(*stage.tasks, return_exceptions=True), 5)

    asyncio.run(play())


def test_alone_nobody_waits() -> None:
    async def scene(stage: Stage) -> None:
        phases = Phases()
        with phases.wanted():
            stage.enter("read", phases.reading)
            await settle()
            assert stage.inside == ["read"]
            stage.out["read"].set()
            await settle()
        stage.enter("ask", phases.asking)
        await settle()
        assert stage.inside == ["ask"]

    played(scene)


def test_prompts_wait_for_the_pictures_and_go_together_and_pictures_wait_for_them() -> None:
    async def scene(stage: Stage) -> None:
        phases = Phases()
        first, second = phases.wanted(), phases.wanted()
        first.__enter__()
        second.__enter__()
        stage.enter("read 1", phases.reading)
        stage.enter("ask 1", phases.asking)
        await settle()
        stage.out["read 1"].set()
        first.__exit__(None, None, None)
        await settle()
        assert stage.inside == []  # the second picture comes first
        stage.enter("read 2", phases.reading)
        await settle()
        assert stage.inside == ["read 2"]
        stage.out["read 2"].set()
        await settle()
        second.__exit__(None, None, None)
        await settle()
        assert stage.inside == ["ask 1"]
        stage.enter("ask 2", phases.asking)
        stage.enter("read 3", phases.reading)
        await settle()
        assert stage.inside == ["ask 1", "ask 2"]
        stage.out["ask 1"].set()
        await settle()
        assert stage.inside == ["ask 2"]
        stage.out["ask 2"].set()
        await settle()
        assert stage.inside == ["read 3"]

    played(scene)


def test_enough_prompts_go_before_the_next_picture() -> None:
    async def scene(stage: Stage) -> None:
        phases = Phases(together=2)
        with phases.wanted():
            stage.enter("read 1", phases.reading)
            stage.enter("ask 1", phases.asking)
            stage.enter("ask 2", phases.asking)
            stage.enter("read 2", phases.reading)
            await settle()
            assert stage.inside == ["read 1"]
            stage.out["read 1"].set()
            await settle()
            assert stage.inside == ["ask 1", "ask 2"]

    played(scene)


def test_nobody_waits_longer_than_the_patience() -> None:
    async def scene(stage: Stage) -> None:
        phases = Phases(patience=0.05)
        with phases.wanted():
            stage.enter("read", phases.reading)
            await settle()
            stage.enter("ask", phases.asking)
            await settle()
            assert stage.inside == ["read"]
            await asyncio.sleep(0.2)
            assert stage.inside == ["read", "ask"]

    played(scene)


def test_without_phases_all_go_at_once() -> None:
    async def scene(stage: Stage) -> None:
        phases = NoPhases()
        with phases.wanted():
            stage.enter("read", phases.reading)
            stage.enter("ask", phases.asking)
            await settle()
            assert stage.inside == ["read", "ask"]

    played(scene)


@pytest.mark.parametrize("seed", range(30))
def test_whoever_is_cancelled_holds_nobody_up(seed: int) -> None:
    async def play() -> None:
        rng, phases = random.Random(seed), Phases(together=3, patience=60)

        async def card() -> None:
            with phases.wanted():
                async with phases.reading():
                    await asyncio.sleep(rng.random() / 500)
            async with phases.asking():
                await asyncio.sleep(rng.random() / 500)

        tasks = [asyncio.create_task(card()) for _ in range(25)]
        for task in rng.sample(tasks, 10):
            await asyncio.sleep(rng.random() / 500)
            task.cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        async with asyncio.timeout(1):
            async with phases.asking():
                pass
            async with phases.reading():
                pass

    asyncio.run(play())

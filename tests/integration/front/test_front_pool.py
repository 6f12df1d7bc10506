"""The pool of readers: a queue that the deadline allows, turns between keys, readers that hang, loading that fails."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from ocr_frontend.auth.work import Work, working
from ocr_frontend.errors import Busy, DeadlineExceeded, OcrUnavailable
from ocr_frontend.ocr.images import Limits, Pixels
from ocr_frontend.ocr.pool import OcrPool
from ocr_frontend.ocr.reader import Reader
from ocr_frontend.ocr.textline import TextLine
from ocr_frontend.ocr.turns import Turns
from tests.integration.front.fakes import picture

LIMITS = Limits(10**7)


class Gated:
    """Reads when the gate is open."""

    def __init__(self, opened: bool = False) -> None:
        self.gate, self.begun = threading.Event(), 0
        if opened:
            self.gate.set()

    def read(self, image: Pixels) -> list[TextLine]:
        self.begun += 1
        assert self.gate.wait(30)
        return []


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


async def started(*readers: Reader, seconds: float = 30, queue: int = 100, **more: object) -> OcrPool:
    given = iter(readers)
    pool = OcrPool(lambda: next(given), 1, queue, seconds, LIMITS, **more)  # type: ignore[arg-type]
    await pool.start()
    return pool


def read(
    pool: OcrPool, key: str = "", *, background: bool = False, ends: float = float("inf")
) -> "asyncio.Task[object]":
    async def work() -> object:
        with working(Work(key, ends, background)):
            return await pool.read(picture())

    return asyncio.create_task(work())


async def test_the_queue_is_no_longer_than_half_the_deadline() -> None:
    reader = Gated()
    pool = await started(reader, seconds=100)
    pool._usual = 10.0
    reads = [read(pool) for _ in range(20)]
    await until(lambda: pool.waiting == 5)
    refused = [one for one in reads if one.done()]
    assert len(refused) == 14 and all(isinstance(one.exception(), Busy) for one in refused)
    assert reader.begun <= 1, "what was refused was not read"
    reader.gate.set()
    await asyncio.wait(reads)
    assert reader.begun == 6
    pool.close()


async def test_a_read_that_could_not_end_in_time_is_not_begun() -> None:
    reader = Gated(opened=True)
    pool = await started(reader, seconds=30)
    pool._usual = 20.0  # twice that is more than the deadline leaves
    with pytest.raises(Busy, match="free in time"):
        await pool.read(picture())
    assert reader.begun == 0
    pool._usual = 1.0
    await pool.read(picture())  # the reader was put back
    pool.close()


async def test_a_request_s_own_deadline_counts() -> None:
    pool = await started(Gated(opened=True))
    with pytest.raises((Busy, DeadlineExceeded)):
        await read(pool, ends=0)
    pool.close()


async def test_people_come_before_jobs_and_keys_take_turns() -> None:
    turns: Turns[str] = Turns()
    turns.give("reader")
    assert await turns.take("any", False) == "reader"
    order: list[str] = []

    async def wait(key: str, background: bool = False) -> None:
        await turns.take(key, background)
        order.append(key)

    flood = [asyncio.create_task(wait("flood")) for _ in range(4)]
    jobs = asyncio.create_task(wait("job", True))
    await asyncio.sleep(0)
    quiet = [asyncio.create_task(wait("quiet")) for _ in range(2)]
    await asyncio.sleep(0)
    assert (turns.waiting, turns.people, turns.waiting_of("flood"), turns.keys_with("new")) == (7, 6, 4, 3)
    flood[1].cancel()
    for _ in range(6):
        turns.give("reader")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert order == ["flood", "quiet", "quiet", "flood", "flood", "job"]
    await asyncio.gather(*flood, *quiet, jobs, return_exceptions=True)


async def test_who_is_cancelled_with_a_reader_in_hand_gives_it_back() -> None:
    turns: Turns[str] = Turns()
    waiter = asyncio.create_task(turns.take("a", False))
    await asyncio.sleep(0)
    turns.give("reader")
    waiter.cancel()
    await asyncio.gather(waiter, return_exceptions=True)
    assert turns.free == 1 and turns.waiting == 0


async def test_a_flood_leaves_room_in_the_queue_for_another_key() -> None:
    reader = Gated()
    pool = await started(reader, queue=4)
    flood = [read(pool, "flood") for _ in range(10)]
    await until(lambda: pool.waiting == 4 and sum(one.done() for one in flood) == 5)
    quiet = read(pool, "quiet")
    await until(lambda: pool.waiting == 5)
    assert isinstance((await asyncio.gather(read(pool, "flood"), return_exceptions=True))[0], Busy)
    reader.gate.set()
    await quiet
    await asyncio.wait(flood)
    pool.close()


async def test_a_reader_that_hangs_is_replaced_and_counted() -> None:
    hangs, works = Gated(), Gated(opened=True)
    pool = await started(hangs, works, seconds=0.1, stuck=0.1)
    with pytest.raises(DeadlineExceeded):
        await pool.read(picture())
    assert pool.running == 1  # it may come back yet
    await until(lambda: pool.stuck == 1 and pool.workers == 1)
    pool._seconds = 30
    await pool.read(picture())
    assert pool.replaced == 1
    assert works.begun == 1 and pool.ready and pool.alive and pool.running == 0
    hangs.gate.set()
    await until(lambda: pool.stuck == 0)
    pool.close()


async def test_too_many_hanging_readers_end_the_process_s_health() -> None:
    hanging = [Gated() for _ in range(4)]
    pool = await started(*hanging, seconds=0.05, stuck=0.01)
    for count in range(1, 4):
        await until(lambda: pool.workers == 1)
        assert pool.alive
        with pytest.raises(DeadlineExceeded):
            await pool.read(picture())
        await until(lambda number=count: pool.stuck == number)  # type: ignore[misc]
    assert not pool.alive
    for reader in hanging:
        reader.gate.set()
    pool.close()


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OcrUnavailable("the package rapidocr is not installed"), "rapidocr is not installed"),
        (PermissionError("/a/secret/path"), "cannot be loaded (PermissionError)"),
        (RuntimeError("anything"), "cannot be loaded (RuntimeError)"),
    ],
)
async def test_loading_that_fails_is_said_logged_and_tried_again(
    error: Exception, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    failing = threading.Event()

    def open_reader() -> Reader:
        if not failing.is_set():
            raise error
        return Gated(opened=True)

    pool = OcrPool(open_reader, 1, 1, 30, LIMITS, again=(0.01, 0.02))
    loading = asyncio.create_task(pool.start())
    await until(lambda: pool.load_failures >= 2)
    with pytest.raises(OcrUnavailable) as refused:
        await pool.read(picture())
    assert says in refused.value.message and says in caplog.text and "secret" not in caplog.text
    other = OcrPool(open_reader, 1, 1, 30, LIMITS)
    with pytest.raises(OcrUnavailable, match=r"OCR|rapidocr"):
        await other.start(again=False)  # a command line says so and ends
    failing.set()
    await loading
    assert pool.failure is None
    await pool.read(picture())
    pool.close()

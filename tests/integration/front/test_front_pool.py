"""A queue that the deadline allows: who would be stopped halfway is told to come back, before anything is read."""

import asyncio
import time

import pytest

from ocr_frontend.errors import Busy
from ocr_frontend.ocr.images import Pixels
from ocr_frontend.ocr.pool import OcrPool
from ocr_frontend.ocr.textline import TextLine
from tests.integration.front.fakes import picture

READ = 0.2


class SlowReader:
    """Takes READ seconds a picture, or what `seconds` says."""

    def __init__(self) -> None:
        self.seconds, self.begun = READ, 0

    def read(self, image: Pixels) -> list[TextLine]:
        self.begun += 1
        time.sleep(self.seconds)
        return []


async def _pool(reader: SlowReader, seconds: float) -> OcrPool:
    pool = OcrPool(lambda: reader, readers=1, queue=100, seconds=seconds, max_pixels=10**7)
    await pool.start()
    await pool.read(picture())  # now it knows what a read takes
    return pool


async def test_the_queue_is_no_longer_than_half_the_deadline() -> None:
    reader = SlowReader()
    pool = await _pool(reader, seconds=10 * READ)
    results = await asyncio.gather(*(pool.read(picture()) for _ in range(20)), return_exceptions=True)
    refused = [result for result in results if isinstance(result, BaseException)]
    assert all(isinstance(result, Busy) and "deadline" in result.message for result in refused)
    assert 2 <= 20 - len(refused) <= 6  # one reads, and some five deadlines' tenths wait
    assert reader.begun == 1 + 20 - len(refused), "what was refused was not read"
    pool.close()


async def test_a_read_that_could_not_end_in_time_is_not_begun() -> None:
    reader = SlowReader()
    pool = await _pool(reader, seconds=3 * READ)
    reader.seconds = 2.5 * READ
    first = asyncio.ensure_future(pool.read(picture()))
    await asyncio.sleep(0)
    with pytest.raises(Busy, match="free in time"):
        await pool.read(picture())
    await first
    assert reader.begun == 2
    reader.seconds = READ
    await pool.read(picture())  # the reader was put back
    pool.close()


async def test_a_free_reader_is_used_whatever_the_last_read_took() -> None:
    reader = SlowReader()
    pool = await _pool(reader, seconds=100 * READ)
    pool._seconds = READ / 2
    with pytest.raises(Busy):
        await pool.read(picture())  # less than a usual read is left
    pool._seconds = 3 * READ
    await pool.read(picture())
    pool.close()

"""What jobs are kept in, over SQLite and PostgreSQL: turns, leases, retention, quotas, secrecy."""

import asyncio
import base64
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from ocr_frontend.errors import Busy, JobStoreAway, RateLimited, Unprocessable
from ocr_frontend.jobs.bounds import JobLimits
from ocr_frontend.jobs.cipher import Cipher, CipherError, read_cipher
from ocr_frontend.jobs.database import Database, PostgresDatabase, SqliteDatabase
from ocr_frontend.jobs.retention import Retention
from ocr_frontend.jobs.store import LEASE, JobStore
from ocr_frontend.jobs.tables import TABLES, Job
from ocr_frontend.observability.access_log import AccessLog
from tests.support.postgres import postgres
from tests.support.tools import need

LIMITS = JobLimits(images=100, running=3, waiting=1000, key_waiting=600, retention=60, wait=500, patience=10)
KEY = Cipher([b"k" * 32])


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    need("postgres")
    with postgres() as where:
        yield where


@pytest.fixture(params=["memory", "file", "postgres"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "postgres":
        one: Database = PostgresDatabase(request.getfixturevalue("address"), TABLES)
        await one.run(
            lambda execute: [
                execute(f"DELETE FROM cni_{name}") for name in ("jobs", "files", "images", "results", "turns")
            ]
        )
    else:
        one = SqliteDatabase(tmp_path / "jobs.sqlite" if request.param == "file" else None, TABLES)
    yield one
    await one.close()


@pytest.fixture
def store(database: Database, clock: Clock) -> JobStore:
    return JobStore(database, KEY, LIMITS, clock)


def job(name: str, owner: str = "one", **more: Any) -> Job:
    given = {"retention": 60.0, "once": 0, "callback": None, "include": None} | more
    return Job(
        id=name, owner=owner, document="auto", model="cni", total=0, created=0, finished=None, expires=None, **given
    )  # fmt: skip


async def add(store: JobStore, name: str, owner: str = "one", *files: bytes, **more: Any) -> Job:
    files = files or (b"picture",)
    idempotency, digest = more.pop("idempotency", None), more.pop("digest", "d")
    pages = [(number, 1) for number in range(len(files))]
    return await store.add(job(name, owner, **more), files, pages, idempotency, digest)


async def read_all(store: JobStore) -> list[str]:
    order = []
    while (image := await store.claim()) is not None:
        order.append(f"{image.job.id}{image.place}")
        await store.finish(image, b"{}", failed=False)
    return order


async def test_keys_take_turns_however_much_one_sends(store: JobStore, clock: Clock) -> None:
    await add(store, "a", "flood", *[b"x"] * 4)
    clock.now += 1
    await add(store, "b", "flood", b"x")
    clock.now += 1
    await add(store, "c", "quiet", b"x", b"x")
    order = []
    while (image := await store.claim()) is not None:
        clock.now += 0.001
        order.append(f"{image.job.id}{image.place}")
        await store.finish(image, b"{}", failed=False)
    assert order == ["a0", "c0", "a1", "c1", "a2", "a3", "b0"]


async def test_time_counts_from_the_end_not_from_the_beginning(store: JobStore, clock: Clock) -> None:
    await add(store, "a", "one", b"x", b"y")
    clock.now += 300  # five times the retention, and nobody has read it yet
    assert await store.sweep(lambda number, page: b"{}") == []
    assert len(await read_all(store)) == 2
    found = await store.find("a", "one")
    assert found is not None and found.expires == clock.now + 60
    clock.now += 59
    assert await store.find("a", "one") is not None
    clock.now += 1
    assert await store.find("a", "one") is None
    assert await store.sweep(lambda number, page: b"{}") == ["a"]
    assert (await store.counts()).jobs == 0


async def test_what_nobody_reads_is_given_up_and_said(store: JobStore, clock: Clock) -> None:
    await add(store, "a", "one", b"x", b"y")
    image = await store.claim()
    assert image is not None
    await store.finish(image, b'{"n":0}', failed=False)
    clock.now += LIMITS.wait
    await store.sweep(lambda number, page: f"late {number}".encode())
    assert await store.results("a", 0, 10) == [(0, b'{"n":0}'), (1, b"late 1")]
    assert (await store.progress("a")).failed == 1 and (await store.counts()).bytes == 0
    found = await store.find("a", "one")
    assert found is not None and found.expires == clock.now + 60


async def test_a_front_that_dies_loses_nothing(store: JobStore, database: Database, clock: Clock) -> None:
    await add(store, "a")
    first = await store.claim()
    other = JobStore(database, KEY, LIMITS, clock)
    assert first is not None and await other.claim() is None
    clock.now += LEASE / 2
    assert await store.renew(first)
    clock.now += LEASE * 0.75
    assert await other.claim() is None, "it was renewed"
    clock.now += LEASE
    second = await other.claim()
    assert second is not None and (second.data, second.tries) == (b"picture", 2)
    assert not await store.renew(first) and not await store.finish(first, b"late", failed=False)
    assert await other.finish(second, b"right", failed=False)
    assert await store.results("a", 0, 5) == [(0, b"right")]


async def test_a_front_that_ends_gives_back_at_once(store: JobStore, database: Database, clock: Clock) -> None:
    await add(store, "a")
    assert await store.claim() is not None
    await store.give_back()
    assert await JobStore(database, KEY, LIMITS, clock).claim() is not None


async def test_two_fronts_never_read_the_same(store: JobStore, database: Database, clock: Clock) -> None:
    await add(store, "a", "one", *[b"x"] * 20)
    other = JobStore(database, KEY, LIMITS, clock)
    seen: list[int] = []

    async def work(front: JobStore) -> None:
        for _ in range(60):
            if (image := await front.claim()) is None:
                break
            seen.append(image.place)
            await front.finish(image, b"{}", failed=False)

    await asyncio.gather(work(store), work(other), work(store), work(other))
    while (image := await store.claim()) is not None:  # one may have met a row that another had locked
        seen.append(image.place)
        await store.finish(image, b"{}", failed=False)
    assert sorted(seen) == list(range(20))
    found = await store.find("a", "one")
    assert found is not None and found.finished is not None, "the last of them ended the job"


async def test_not_now_holds_up_nobody_else(store: JobStore, clock: Clock) -> None:
    await add(store, "a", "slow", b"x", b"y")
    clock.now += 1
    await add(store, "b", "good")
    image = await store.claim()
    assert image is not None and image.job.id == "a"
    await store.put_back(image, 30, whole_key=True)
    assert await read_all(store) == ["b0"]
    clock.now += 30
    again = await store.claim()
    assert again is not None and (again.job.id, again.tries) == ("a", 1), "waiting is no try"


async def test_a_key_s_quota_is_its_own(store: JobStore) -> None:
    for name in "abc":
        await add(store, name, "one")
    with pytest.raises(RateLimited):
        await add(store, "d", "one")
    await add(store, "e", "two", bytes(500))
    with pytest.raises(RateLimited, match="bytes"):
        await add(store, "f", "two", bytes(200))
    await add(store, "g", "three", bytes(400))
    with pytest.raises(Busy):
        await add(store, "h", "four", bytes(400))
    await read_all(store)  # what is done takes no place
    await add(store, "i", "one")


async def test_the_same_request_twice_is_one_job(store: JobStore) -> None:
    first = await add(store, "a", idempotency="k")
    again = await add(store, "b", idempotency="k")
    assert first.id == again.id == "a" and again.total == 1
    with pytest.raises(Unprocessable):
        await add(store, "c", idempotency="k", digest="other")
    assert (await add(store, "d", "two", idempotency="k")).id == "d", "another key's is another's"


async def test_nobody_else_s(store: JobStore) -> None:
    await add(store, "a", "one")
    assert await store.find("a", "two") is None and await store.listed("two", None, 10) == []


async def test_listing_and_paging(store: JobStore) -> None:
    for name in "abc":
        await add(store, name)
    assert [one.id for one in await store.listed("one", None, 2)] == ["c", "b"]
    assert [one.id for one in await store.listed("one", "b", 2)] == ["a"]


async def test_deletion_takes_everything(store: JobStore, database: Database) -> None:
    await add(store, "a", "one", b"x", b"y")
    image = await store.claim()
    assert image is not None
    await store.delete("a")
    assert not await store.finish(image, b"{}", failed=False) and not await store.renew(image)
    for table in ("jobs", "files", "images", "results"):
        assert await database.run(lambda execute, name=table: execute(f"SELECT count(*) FROM cni_{name}")) == [(0,)]  # type: ignore[misc]


async def test_nothing_lies_there_in_plain(store: JobStore, database: Database, tmp_path: Path) -> None:
    await add(store, "a", "one", b"SECRET-PICTURE")
    [(body,)] = await database.run(lambda execute: execute("SELECT body FROM cni_files"))
    image = await store.claim()
    assert image is not None and image.data == b"SECRET-PICTURE"
    await store.finish(image, b"SECRET-RESULT", failed=False)
    [(result,)] = await database.run(lambda execute: execute("SELECT body FROM cni_results"))
    assert b"SECRET" not in bytes(body) + bytes(result)
    assert await database.run(lambda execute: execute("SELECT count(*) FROM cni_files")) == [(0,)]
    for file in tmp_path.glob("jobs.sqlite*"):
        assert file.stat().st_mode & 0o077 == 0 and b"SECRET" not in file.read_bytes()


async def test_a_lost_key_is_no_end(store: JobStore, database: Database, clock: Clock) -> None:
    await add(store, "a")
    image = await JobStore(database, Cipher([b"n" * 32]), LIMITS, clock).claim()
    assert image is not None and image.data is None
    clock.now += LEASE
    rotated = await JobStore(database, Cipher([b"n" * 32, b"k" * 32]), LIMITS, clock).claim()
    assert rotated is not None and rotated.data == b"picture"


def test_a_body_is_bound_to_its_place() -> None:
    closed = KEY.close(b"x", "a/0")
    assert KEY.open(closed, "a/0") == b"x"
    for place, data in (("a/1", closed), ("a/0", closed[:-1] + bytes([closed[-1] ^ 1])), ("a/0", b"")):
        with pytest.raises(CipherError):
            KEY.open(data, place)


@pytest.mark.parametrize("text", ["", ",", "short", base64.b64encode(b"x" * 16).decode(), "!" * 44])
def test_keys_that_are_none(text: str) -> None:
    with pytest.raises(ValueError) as refused:
        read_cipher(text)
    assert not text.strip(",") or text not in str(refused.value)


async def test_callbacks_are_due_once_at_a_time(store: JobStore, clock: Clock) -> None:
    await add(store, "a", callback="https://x.example/")
    assert await store.due_callback(60) is None
    await read_all(store)
    due = await store.due_callback(60)
    assert due is not None and (due[0].id, due[1]) == ("a", 1)
    assert await store.due_callback(60) is None
    await store.callback_later("a", 5)
    clock.now += 5
    due = await store.due_callback(60)
    assert due is not None and due[1] == 2
    await store.callback_later("a", None)
    clock.now += 1e6
    assert await store.due_callback(60) is None


class Broken:
    """A database whose disk is full, now and then."""

    skip_locked = ""

    def __init__(self, inner: Database) -> None:
        self.inner, self.broken = inner, False

    async def run(self, work: Any) -> Any:
        if self.broken:
            raise JobStoreAway("full")
        return await self.inner.run(work)

    async def tidy(self) -> None:
        await self.inner.tidy()

    async def close(self) -> None:
        await self.inner.close()


async def test_no_error_ends_the_retention(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    database = Broken(SqliteDatabase(None, TABLES))
    store = JobStore(database, KEY, LIMITS, clock)
    retention = Retention(store, AccessLog(None), 0.01)
    await add(store, "a")
    await read_all(store)
    clock.now += 61
    database.broken = True
    task = asyncio.create_task(retention.run())
    async with asyncio.timeout(20):
        while retention.failures < 2:
            await asyncio.sleep(0.005)
        assert "could not be deleted" in caplog.text and not task.done()
        database.broken = False
        while (await store.counts()).jobs:
            await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await store.close()


async def test_a_database_error_is_one_of_ours(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "x.sqlite", TABLES)
    with pytest.raises(JobStoreAway) as error:
        await database.run(lambda execute: execute("SELECT * FROM nothing"))
    assert "nothing" not in error.value.message
    await database.close()
    (tmp_path / "y.sqlite").write_bytes(b"no database " * 100)
    with pytest.raises(sqlite3.Error):
        SqliteDatabase(tmp_path / "y.sqlite", TABLES)

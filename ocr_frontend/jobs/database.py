"""Two databases under one small interface: SQLite in this process, PostgreSQL where several fronts share jobs.

Work runs in a thread, each piece in a transaction: the event loop never waits for a disk. Parameters are `?`.
"""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ocr_frontend.errors import JobStoreAway

T = TypeVar("T")
Row = tuple[Any, ...]
Execute = Callable[..., list[Row]]  # (sql, parameters=()) -> rows
_AWAY = "Jobs cannot be kept or read now; try again later."
_CREATION = 7_245_001  # any number of ours: one front at a time creates tables


class Database(Protocol):
    """skip_locked: what ends a query that several fronts may ask at once."""

    skip_locked: str

    async def run(self, work: Callable[[Execute], T]) -> T:
        """One transaction. Raises JobStoreAway, and what `work` raises; then nothing has changed."""

    async def tidy(self) -> None:
        """Let go of what deleted rows took."""

    async def close(self) -> None:
        """End it."""


class SqliteDatabase:
    """path: None keeps everything in memory. What is deleted is overwritten; the log of writes is emptied by `tidy`."""

    skip_locked = ""

    def __init__(self, path: Path | None, tables: str) -> None:
        """Raises OSError or sqlite3.Error."""
        if path is not None:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            path.chmod(0o600)
        self._db = sqlite3.connect(
            ":memory:" if path is None else path,
            isolation_level=None,
            check_same_thread=False,  # opened here, used by the one thread below
            timeout=10,
        )
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "temp_store=MEMORY"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(tables.replace("BYTES", "BLOB").replace("NUMBER", "REAL"))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="jobs")

    async def run(self, work: Callable[[Execute], T]) -> T:
        """See Database."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transaction, work)

    def _transaction(self, work: Callable[[Execute], T]) -> T:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                result = work(self._execute)
                self._db.execute("COMMIT")
                return result
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise JobStoreAway(_AWAY) from error

    def _execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._db.execute(sql, parameters).fetchall()

    async def tidy(self) -> None:
        """See Database."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._checkpoint)

    def _checkpoint(self) -> None:
        try:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            raise JobStoreAway(_AWAY) from error

    async def close(self) -> None:
        """See Database."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._db.close)
        self._thread.shutdown(wait=False)


class PostgresDatabase:
    """address: as libpq takes it (postgresql://user:password@host/name). Connections open when they are first used."""

    skip_locked = " FOR UPDATE OF i SKIP LOCKED"

    def __init__(self, address: str, tables: str, connections: int = 3) -> None:
        self._address, self._tables = address, tables.replace("BYTES", "BYTEA").replace("NUMBER", "DOUBLE PRECISION")
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="jobs")
        self._mine = threading.local()
        self._opened: list[Any] = []

    async def run(self, work: Callable[[Execute], T]) -> T:
        """See Database."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._transaction, work)

    def _transaction(self, work: Callable[[Execute], T]) -> T:
        import psycopg

        try:
            connection = self._connection()
            with connection.transaction():
                return work(lambda sql, parameters=(): self._execute(connection, sql, parameters))
        except psycopg.Error as error:
            raise JobStoreAway(_AWAY) from error

    def _connection(self) -> Any:
        """This thread's own; a new one where the last has broken."""
        import psycopg

        connection = getattr(self._mine, "connection", None)
        if connection is None or connection.closed or connection.broken:
            connection = psycopg.connect(self._address, autocommit=True, connect_timeout=5)
            self._opened.append(connection)
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (_CREATION,))
                connection.execute(self._tables)
            self._mine.connection = connection
        return connection

    @staticmethod
    def _execute(connection: Any, sql: str, parameters: Sequence[Any]) -> list[Row]:
        cursor = connection.execute(sql.replace("?", "%s"), parameters)
        return cursor.fetchall() if cursor.description is not None else []

    async def tidy(self) -> None:
        """PostgreSQL does so by itself."""

    async def close(self) -> None:
        """See Database."""
        self._threads.shutdown(wait=False)
        for connection in self._opened:
            await asyncio.to_thread(connection.close)

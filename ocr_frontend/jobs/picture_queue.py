"""Pictures that wait to be read: whose turn it is, who reads one, and what comes of it."""

from contextlib import suppress
from dataclasses import replace

from ocr_frontend.jobs.cipher import CipherError
from ocr_frontend.jobs.database import Execute
from ocr_frontend.jobs.kept import Kept, settle
from ocr_frontend.jobs.tables import JOB, Image, Job

LEASE = 60.0  # seconds that a worker has a picture for itself; it renews them while it reads


class PictureQueue(Kept):
    """Keys take turns; a picture is one worker's for `LEASE` seconds."""

    async def claim(self) -> Image | None:
        """The next picture: of the key whose turn was longest ago. None where nothing waits."""
        now = self._clock()

        def work(execute: Execute) -> tuple[Image, bytes] | None:
            rows = execute(
                "SELECT i.job, i.place, i.number, i.page, i.tries, i.first, j.owner FROM cni_images i"
                " JOIN cni_jobs j ON j.id = i.job LEFT JOIN cni_turns t ON t.owner = j.owner"
                " WHERE i.not_before <= ? AND i.lease <= ? ORDER BY coalesce(t.last, 0), j.created, i.place LIMIT 1"
                + self._database.skip_locked,
                (now, now),
            )
            if not rows:
                return None
            job, place, number, page, tries, first, owner = rows[0]
            execute(
                "UPDATE cni_images SET lease = ?, worker = ?, tries = tries + 1, first = coalesce(first, ?)"
                " WHERE job = ? AND place = ?",
                (now + LEASE, self._worker, now, job, place),
            )
            execute(
                "INSERT INTO cni_turns VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET last = excluded.last",
                (owner, self._clock()),
            )
            [row] = execute(f"SELECT {JOB} FROM cni_jobs WHERE id = ?", (job,))
            [(body,)] = execute("SELECT body FROM cni_files WHERE job = ? AND number = ?", (job, number))
            return Image(Job(*row), place, number, page, tries + 1, first or now, None), bytes(body)

        found = await self._database.run(work)
        if found is None:
            return None
        image, body = found
        with suppress(CipherError):
            image = replace(image, data=self._cipher.open(body, f"{image.job.id}/{image.number}"))
        return image

    async def renew(self, image: Image) -> bool:
        """Keep a picture for another while. False where it is no longer this worker's: its job was deleted."""
        return await self._database.run(
            lambda execute: bool(
                execute(
                    "UPDATE cni_images SET lease = ? WHERE job = ? AND place = ? AND worker = ? RETURNING place",
                    (self._clock() + LEASE, image.job.id, image.place, self._worker),
                )
            )
        )

    async def put_back(self, image: Image, seconds: float, *, whole_key: bool) -> None:
        """Not now: try again after `seconds`, and with `whole_key` everything else of its key too."""
        later = self._clock() + seconds

        def work(execute: Execute) -> None:
            execute(
                "UPDATE cni_images SET lease = 0, worker = '', tries = tries - 1, not_before = ?"
                " WHERE job = ? AND place = ? AND worker = ?",
                (later, image.job.id, image.place, self._worker),
            )
            if whole_key:
                execute(
                    "UPDATE cni_images SET not_before = ? WHERE lease = 0"
                    " AND job IN (SELECT id FROM cni_jobs WHERE owner = ?)",
                    (later, image.job.owner),
                )

        await self._database.run(work)

    async def finish(self, image: Image, body: bytes, *, failed: bool) -> bool:
        """Keep a result and let its picture go. True where it was the job's last. A deleted job takes none."""
        closed = self._cipher.close(body, f"{image.job.id}#{image.place}")

        def work(execute: Execute) -> bool:
            mine = execute(
                "DELETE FROM cni_images WHERE job = ? AND place = ? AND worker = ? RETURNING place",
                (image.job.id, image.place, self._worker),
            )
            if not mine:
                return False
            execute("INSERT INTO cni_results VALUES (?, ?, ?, ?)", (image.job.id, image.place, int(failed), closed))
            return settle(execute, image.job.id, self._clock())

        return await self._database.run(work)

    async def give_back(self) -> None:
        """Of a front that ends: what it was reading is free for others at once."""
        await self._database.run(
            lambda execute: execute("UPDATE cni_images SET lease = 0, worker = '' WHERE worker = ?", (self._worker,))
        )

"""Answers that people may correct, and what they corrected: kept only where that is switched on, encrypted, for a time.

An export row is a sample as training reads it: the lines, and for each field where its right value stands.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from ocr_frontend.errors import NotFound, Unprocessable
from ocr_frontend.jobs.cipher import Cipher
from ocr_frontend.jobs.database import Database, Execute

Value = str | float | None
_LONGEST = 200  # characters of a value


class Corrections:
    """Over the database of jobs, whose sweep deletes what has expired. seconds: that an answer is kept."""

    def __init__(
        self, database: Database, cipher: Cipher, seconds: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._database, self._cipher, self._seconds, self._clock = database, cipher, seconds, clock

    async def keep(self, owner: str, answer: Mapping[str, Any]) -> None:
        """Keep what correcting takes of an answer: its document, values and lines. The same id again replaces it."""
        kept = {
            "document": answer["document"],
            "data": answer["data"],
            "places": {name: field["lines"] for name, field in answer["fields"].items()},
            "lines": [line["text"] for line in answer["ocr"]["lines"]],
        }
        name, now = str(answer["id"]), self._clock()
        body = self._closed(kept, f"{owner}/{name}")

        def work(execute: Execute) -> None:
            _forget(execute, owner, name)
            execute("INSERT INTO cni_answers VALUES (?, ?, ?, ?)", (owner, name, now + self._seconds, body))

        await self._database.run(work)

    async def correct(self, owner: str, by: str, answer: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The values as they are now, and every correction of them (field, old, new, by, at).

        Raises NotFound, and Unprocessable for a field that the document has not or a value that is none.
        """
        now = self._clock()

        def work(execute: Execute) -> dict[str, Any]:
            kept, before = self._found(execute, owner, answer, now)
            data = _now(kept, before)
            _check(fields, data)
            made = [
                {"field": name, "old": data[name], "new": value, "by": by, "at": now}
                for name, value in fields.items()
                if data[name] != value
            ]
            for number, one in enumerate(made, len(before)):
                place = f"{owner}/{answer}/{number}"
                execute(
                    "INSERT INTO cni_corrections VALUES (?, ?, ?, ?)", (owner, answer, number, self._closed(one, place))
                )
            return {"id": answer, "data": _now(kept, [*before, *made]), "corrections": [*before, *made]}

        return await self._database.run(work)

    async def delete(self, owner: str, answer: str) -> None:
        """Forget an answer and its corrections. Raises NotFound."""
        now = self._clock()

        def work(execute: Execute) -> None:
            self._found(execute, owner, answer, now)
            _forget(execute, owner, answer)

        await self._database.run(work)

    async def exported(self) -> list[str]:
        """A JSON row of each corrected answer, of all keys; one that has expired is gone, though not yet swept."""
        now = self._clock()

        def work(execute: Execute) -> list[str]:
            rows = execute(
                "SELECT DISTINCT c.owner, c.answer FROM cni_corrections c JOIN cni_answers a"
                " ON a.owner = c.owner AND a.id = c.answer WHERE a.expires > ? ORDER BY c.owner, c.answer",
                (now,),
            )
            return [json.dumps(_sample(answer, *self._found(execute, owner, answer, now))) for owner, answer in rows]

        return await self._database.run(work)

    def _found(
        self, execute: Execute, owner: str, answer: str, now: float
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        rows = execute("SELECT body FROM cni_answers WHERE owner = ? AND id = ? AND expires > ?", (owner, answer, now))
        if not rows:
            raise NotFound("There is no answer of that id; it may have expired.")
        made = execute(
            "SELECT number, body FROM cni_corrections WHERE owner = ? AND answer = ? ORDER BY number", (owner, answer)
        )
        place = f"{owner}/{answer}"
        kept = self._opened(rows[0][0], place)
        return kept, [self._opened(body, f"{place}/{number}") for number, body in made]

    def _closed(self, content: Mapping[str, Any], place: str) -> bytes:
        return self._cipher.close(json.dumps(content).encode(), place)

    def _opened(self, body: bytes, place: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self._cipher.open(bytes(body), place))
        return content


def _check(fields: Mapping[str, Any], data: Mapping[str, Value]) -> None:
    for name, value in fields.items():
        if name not in data:
            raise Unprocessable(f"A field that the document has not; it has {', '.join(data)}.")
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (value is None or number or (isinstance(value, str) and len(value) <= _LONGEST)):
            raise Unprocessable(f"The value of `{name}` is a text of at most {_LONGEST} characters, a number or null.")


def _now(kept: Mapping[str, Any], corrections: list[dict[str, Any]]) -> dict[str, Value]:
    data: dict[str, Value] = dict(kept["data"])
    return data | {one["field"]: one["new"] for one in corrections}


def _sample(answer: str, kept: Mapping[str, Any], corrections: list[dict[str, Any]]) -> dict[str, Any]:
    """targets: a line's number, several, the value itself where it stands in no line, or null, by field in order."""
    corrected = {one["field"] for one in corrections}
    lines: list[str] = kept["lines"]
    targets: list[Any] = []
    for name, value in _now(kept, corrections).items():
        places = kept["places"].get(name, [])
        if value is None:
            targets.append(None)
        elif name not in corrected and places:
            targets.append(places[0] if len(places) == 1 else places)
        else:
            same = [number for number, line in enumerate(lines) if line.strip() == str(value).strip()]
            targets.append(same[0] if same else str(value))
    return {
        "id": answer, "document": kept["document"], "lines": lines, "targets": targets, "corrections": corrections
    }  # fmt: skip


def _forget(execute: Execute, owner: str, answer: str) -> None:
    execute("DELETE FROM cni_corrections WHERE owner = ? AND answer = ?", (owner, answer))
    execute("DELETE FROM cni_answers WHERE owner = ? AND id = ?", (owner, answer))

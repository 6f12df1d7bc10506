"""A small client of the OCR front: one file to copy, httpx is all it needs.

from cni_client import Client
with Client("http://127.0.0.1:8080", key=None) as client:
    card = client.read("card.jpg")
    print(card.data, card.to_check)
"""

import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

_TRIES = 5  # while the service is busy: it says when to come back
_POLL = 1.0  # seconds between two looks at a job


class Refused(Exception):
    """The front refused a picture: `code` is stable, the text is for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass(frozen=True)
class Card:
    """What was read. `fields` has confidence, box and source of each value; `whole` is the answer as it came."""

    document: str
    model: str
    data: dict[str, Any]
    fields: dict[str, dict[str, Any]]
    warnings: list[dict[str, Any]]
    needs_review: bool
    whole: dict[str, Any]

    @property
    def to_check(self) -> list[str]:
        """The fields that a person should look at."""
        return [name for name, field in self.fields.items() if field["needs_review"]]


@dataclass(frozen=True)
class BothSides:
    """Two sides put together: `data` and `document` are None where they are not of one card, and `warnings` say why."""

    document: str | None
    data: dict[str, Any] | None
    sides: dict[str, dict[str, Any]]
    warnings: list[dict[str, Any]]
    whole: dict[str, Any]


class Client:
    """`key` is needed where the service has keys. Waits and tries again while the service is busy."""

    def __init__(self, url: str = "http://127.0.0.1:8080", key: str | None = None, timeout: float = 120) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._http.close()

    def read(self, picture: Path | str, document: str = "auto", model: str | None = None) -> Card:
        """One side of a card, from a file. Raises Refused, httpx.HTTPError."""
        form = {"document": document} | ({"model": model} if model else {})
        return self._card("/v1/extract", files={"image": _file(picture)}, data=form)

    def read_lines(
        self, lines: list[dict[str, Any]], document: str = "auto", model: str | None = None, **more: Any
    ) -> Card:
        """Lines that another OCR has read: `text`, and `confidence` and `box` where known. Raises as `read` does."""
        body = {"document": document, "model": model, "lines": lines, **more}
        return self._card("/v1/extract-lines", json=body)

    def read_both(
        self, recto: Path | str, verso: Path | str, version: str = "auto", model: str | None = None
    ) -> BothSides:
        """Both sides of one card, from a file each. Raises as `read` does."""
        files = {side: _file(picture) for side, picture in (("recto", recto), ("verso", verso))}
        form = {"version": version} | ({"model": model} if model else {})
        answer = self._asked("POST", "/v1/cards", files=files, data=form)
        return BothSides(whole=answer, **{name: answer[name] for name in BothSides.__annotations__ if name != "whole"})

    def read_many(
        self, pictures: Iterable[Path | str], document: str = "auto", model: str | None = None, seconds: float = 3600
    ) -> list[dict[str, Any]]:
        """Many pictures in one job, which is deleted once it was fetched: of each `number`, and `answer` or `error`.

        Raises as `read` does, and TimeoutError where it is not done after so many seconds.
        """
        form = {"document": document} | ({"model": model} if model else {})
        files = [("image", _file(picture)) for picture in pictures]
        once = {"Idempotency-Key": uuid.uuid4().hex}  # asked again, it stays one job
        path = f"/v1/jobs/{self._asked('POST', '/v1/jobs', files=files, data=form, headers=once)['id']}"
        ends = time.monotonic() + seconds
        while self._asked("GET", path, params={"limit": 1})["state"] != "done":
            if time.monotonic() > ends:
                raise TimeoutError(f"{path} is not done after {seconds:g} seconds; it goes on there.")
            time.sleep(_POLL)
        results: list[dict[str, Any]] = []
        first: int | None = 0
        while first is not None:
            page = self._asked("GET", path, params={"from": first})
            results, first = results + page["results"], page["next"]
        self._http.delete(path)
        return results

    def documents(self) -> list[dict[str, Any]]:
        """The documents that the front knows and those that its models bring, each with the models that read it."""
        found: list[dict[str, Any]] = self._asked("GET", "/v1/documents")["documents"]
        return found

    def _card(self, path: str, **sent: Any) -> Card:
        answer = self._asked("POST", path, **sent)
        return Card(whole=answer, **{name: answer[name] for name in Card.__annotations__ if name != "whole"})

    def _asked(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        for left in reversed(range(_TRIES)):
            answer = self._http.request(method, path, **sent)
            if answer.status_code not in {429, 503} or not left:
                break
            time.sleep(float(answer.headers.get("retry-after", 1)))
        return self._checked(answer)

    @staticmethod
    def _checked(answer: httpx.Response) -> dict[str, Any]:
        body: dict[str, Any] = answer.json()
        if answer.is_success:
            return body
        error = body.get("error", {})
        raise Refused(answer.status_code, error.get("code", "unknown"), error.get("message", answer.reason_phrase))


def _file(picture: Path | str) -> tuple[str, bytes]:
    path = Path(picture)
    return path.name, path.read_bytes()

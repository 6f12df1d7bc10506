"""A small client of the OCR front: one file to copy, httpx is all it needs.

from cni_client import Client
with Client("http://127.0.0.1:8080", key=None) as client:
    card = client.read("card.jpg")
    print(card.data, card.to_check)
"""

import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

_TRIES = 5  # while the service is busy: it says when to come back


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
        path = Path(picture)
        form = {"document": document} | ({"model": model} if model else {})
        return self._card("/v1/extract", files={"image": (path.name, path.read_bytes())}, data=form)

    def read_lines(
        self, lines: list[dict[str, Any]], document: str = "auto", model: str | None = None, **more: Any
    ) -> Card:
        """Lines that another OCR has read: `text`, and `confidence` and `box` where known. Raises as `read` does."""
        body = {"document": document, "model": model, "lines": lines, **more}
        return self._card("/v1/extract-lines", json=body)

    def documents(self) -> list[dict[str, Any]]:
        """The documents that the front knows."""
        found: list[dict[str, Any]] = self._checked(self._http.get("/v1/documents"))["documents"]
        return found

    def _card(self, path: str, **sent: Any) -> Card:
        answer = self._post(path, **sent)
        return Card(whole=answer, **{name: answer[name] for name in Card.__annotations__ if name != "whole"})

    def _post(self, path: str, **sent: Any) -> dict[str, Any]:
        for left in reversed(range(_TRIES)):
            answer = self._http.post(path, **sent)
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

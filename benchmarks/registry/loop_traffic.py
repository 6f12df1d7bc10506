"""Traffic through the front, and a scripted person who puts wrong values right."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from adapters.data.given.answers import Answers
from adapters.data.given.example import Given
from adapters.data.lines import Line
from adapters.evaluation.metrics import normalise
from ocr_frontend.documents.spec import DocumentSpec

_TRIES = 8  # of one picture
_AWAY = frozenset({429, 503})  # with Retry-After: later


@dataclass
class Tally:
    """`answered`, `corrected`: pictures by revision; `refused`: answers of another status, after which the picture was
    sent again; `lost`: pictures that got no answer in the end."""

    answered: Counter[str] = field(default_factory=Counter)
    corrected: Counter[str] = field(default_factory=Counter)
    fields_corrected: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    lost: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.answered + other.answered,
            self.corrected + other.corrected,
            self.fields_corrected + other.fields_corrected,
            self.refused + other.refused,
            self.lost + other.lost,
        )


class Person:
    """Knows the true values; corrects a value that differs by letters or digits, and writes it as the page prints it
    where the page prints it."""

    def __init__(self, spec: DocumentSpec) -> None:
        self._answers, self._keys = Answers(spec), spec.keys

    def puts_right(
        self, wanted: Mapping[str, str | None], lines: Sequence[str], said: Mapping[str, Any]
    ) -> dict[str, str | None]:
        """Of the answer `said` about a page of these lines: the wrong fields, with what should stand there."""
        shown = Given("", wanted, tuple(Line(text) for text in lines))
        read = self._answers.lines(shown)
        printed = self._answers.values(read, self._answers.targets(shown))
        wrong = [key for key in self._keys if not _alike(said.get(key), wanted.get(key))]
        return {key: printed[key] if _alike(printed[key], wanted.get(key)) else wanted.get(key) for key in wrong}


class Traffic:
    """Pictures of one document in turn, `at_once` at a time, for the alias `model`; `client`: of the front."""

    def __init__(
        self, client: httpx.Client, model: str, spec: DocumentSpec, pictures: Sequence[Given], at_once: int = 2
    ) -> None:
        self._client = client
        self._form = {"document": spec.name, "model": model}
        self._person, self._pictures, self._at_once = Person(spec), pictures, at_once
        self._lock, self._next = threading.Lock(), 0

    def send(
        self, most: int, *, correct: bool = False, over: Callable[[], bool] = lambda: False, pause: float = 0
    ) -> Tally:
        """Up to `most` pictures, until `over`; `pause`: seconds of each sender between two."""
        tally, turns = Tally(), iter(range(most))

        def sender() -> None:
            while not over():
                with self._lock:
                    if next(turns, None) is None:
                        return
                    picture = self._pictures[self._next % len(self._pictures)]
                    self._next += 1
                self._one(picture, tally, correct)
                time.sleep(pause)

        with ThreadPoolExecutor(self._at_once) as pool:
            for done in [pool.submit(sender) for _ in range(self._at_once)]:
                done.result()
        return tally

    def _one(self, picture: Given, tally: Tally, correct: bool) -> None:
        answer = self._answer(picture, tally)
        if answer is None:
            with self._lock:
                tally.lost += 1
            return
        revision = str(answer["model"]).partition("@")[2]
        lines = [line["text"] for line in answer["ocr"]["lines"]]
        fields = self._person.puts_right(picture.fields, lines, answer["data"]) if correct else {}
        if fields:
            self._client.put(f"/v1/results/{answer['id']}", json={"fields": fields}).raise_for_status()
        with self._lock:
            tally.answered[revision] += 1
            tally.corrected[revision] += bool(fields)
            tally.fields_corrected += len(fields)

    def _answer(self, picture: Given, tally: Tally) -> dict[str, Any] | None:
        """None where it is lost: nobody answers, or every try is refused."""
        assert picture.picture is not None
        image = picture.picture.read_bytes()
        for _ in range(_TRIES):
            try:
                reply = self._client.post("/v1/extract", files={"image": ("a.jpg", image)}, data=self._form)
            except httpx.HTTPError:
                return None
            if reply.status_code == httpx.codes.OK:
                return dict(reply.json())
            code = str(reply.json().get("error", {}).get("code", ""))
            with self._lock:
                tally.refused[f"{reply.status_code} {code}"] += 1
            if reply.status_code in _AWAY and "Retry-After" in reply.headers:
                time.sleep(float(reply.headers["Retry-After"]))
            elif code != "invalid_answer":
                return None
        return None


def _alike(one: Any, other: str | None) -> bool:
    if one is None or other is None:
        return one is other
    return normalise(str(one)) == normalise(other)

"""The clients of a load run: people who send one card after the other, and a program that has jobs read."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.front.report import Reply

KEYS = ("quiet", "flood", "jobs")
Cards = Sequence[tuple[str, bytes]]


@dataclass
class Run:
    """What one run saw. Times are seconds since its begin."""

    begun: float
    replies: list[Reply]
    memory: list[tuple[float, float]]
    killed: float | None = None
    back: float | None = None
    job_pictures: int = 0
    job_results: int = 0
    job_failed: int = 0

    def now(self) -> float:
        """Seconds since the begin."""
        return time.monotonic() - self.begun


async def person(
    http: httpx.AsyncClient, drawn: Cards, number: int, run: Run, ends: float, *, quiet: bool, alone: float
) -> None:
    """One card after the other until `ends`, at one front. `alone`: seconds that the quiet key is alone at first."""
    key = "quiet" if quiet else "flood"
    headers = {"Authorization": f"Bearer {key}"} if alone else {}
    if not quiet:
        await asyncio.sleep(alone)
    while (sent := run.now()) < ends:
        name = "" if not alone else f"{key}, alone" if quiet and sent < alone else key
        document, image = drawn[number % len(drawn)]
        number += 1
        try:
            answer = await http.post(
                "/v1/extract", files={"image": ("a.jpg", image)}, data={"document": document}, headers=headers
            )
        except httpx.HTTPError as error:
            run.replies.append(Reply(sent, run.now(), 0, type(error).__name__, None, name))
            await asyncio.sleep(1)
            continue
        body: dict[str, Any] = {} if answer.is_success else answer.json()
        later = answer.headers.get("retry-after")
        code = body.get("error", {}).get("code", "")
        run.replies.append(Reply(sent, run.now(), answer.status_code, code, later, name))
        if later:
            await asyncio.sleep(float(later))


async def program(fronts: Sequence[httpx.AsyncClient], drawn: Cards, pictures: int, run: Run, ends: float) -> None:
    """One job after the other, each awaited to its end, the last of them past the end of the run.

    What one front took in, each of them is asked about in turn.
    """
    turns = itertools.cycle(fronts)
    headers = {"Authorization": "Bearer jobs"}
    form = {"document": "auto", "include": "data"}
    files = [("image", (f"{number}.jpg", drawn[number % len(drawn)][1])) for number in range(pictures)]
    while run.now() < ends:
        answer = await next(turns).post("/v1/jobs", files=files, data=form, headers=headers)
        if answer.status_code != 202:
            await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
            continue
        job = answer.json()
        run.job_pictures += job["total"]
        while job["state"] != "done":
            await asyncio.sleep(1)
            answer = await next(turns).get(f"/v1/jobs/{job['id']}", headers=headers)
            job = answer.json() if answer.is_success else job
        run.job_results += job["done"]
        run.job_failed += sum(result["error"] is not None for result in job["results"])

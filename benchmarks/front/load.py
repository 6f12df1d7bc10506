"""64 clients for ten minutes; the model server is killed in the middle and started again.

With `--quiet N` the service has keys: N clients of the key `quiet` ask alone for `--alone` seconds, then all others
come as the key `flood` and do not stop; with `--job N` a third key has jobs of N pictures read beside them, always.

    python -m benchmarks.front.load --server-command "python -m server --model FOLDER --port 8297"

Without a command a stand-in takes the model server's place. Every client sends one card after the other and keeps to
`Retry-After`. What is an error: any status but 200, 429 and 503, and a 429 or 503 without `Retry-After`. The last line
is one JSON document.
"""

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from adapters import machine
from benchmarks.front.report import Reply, report
from benchmarks.front.services import Child, cards, front, model_server, running

KEYS = ("quiet", "flood", "jobs")


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


def main() -> int:
    """Run it; 1 when something but an honest 429 or 503 came back, or a service did not start."""
    args = _parser().parse_args()
    if args.quick:
        args.clients, args.minutes, args.away = 8, 0.7, 4.0
    drawn = cards(args.distinct)
    server = model_server(args.port + 1, args.server_command, args.seconds)
    keys = {"KEYS": ",".join(KEYS)} if args.quiet else {}
    service = front(args.port, server, **keys)
    try:
        with running(server, service):
            run = asyncio.run(_load(args, drawn, service, server))
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    result = {
        "benchmark": "front_load",
        "clients": args.clients,
        "minutes": args.minutes,
        "server": "real" if args.server_command else "stand-in",
        **report(run.replies, run.memory, run.killed, run.back),
        "jobs": {"pictures": run.job_pictures, "results": run.job_results, "failed": run.job_failed},
        "machine": machine.describe(),
    }
    if args.out:
        args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))
    return 1 if result["dishonest"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.front.load", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=64, help="default: %(default)s")
    parser.add_argument("--minutes", type=float, default=10, help="default: %(default)s")
    parser.add_argument("--away", type=float, default=20, help="seconds until the server is started again")
    parser.add_argument(
        "--quiet", type=int, default=0, help="of the clients, those of the quiet key (default: no keys)"
    )
    parser.add_argument("--alone", type=float, default=20, help="seconds that the quiet key is alone at first")
    parser.add_argument("--job", type=int, default=0, help="pictures of each job beside them (default: no jobs)")
    parser.add_argument("--distinct", type=int, default=32, help="different cards (default: %(default)s)")
    parser.add_argument("--server-command", help="starts a model server on the port after --port")
    parser.add_argument("--seconds", type=float, default=0.5, help="the stand-in's answer (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8296, help="of the front (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="file for the JSON document too")
    parser.add_argument("--quick", action="store_true", help="8 clients for 42 seconds, to see that it works")
    return parser


async def _load(args: argparse.Namespace, drawn: list[tuple[str, bytes]], service: Child, server: Child) -> Run:
    run = Run(time.monotonic(), [], [])
    ends = args.minutes * 60
    limits = httpx.Limits(max_connections=args.clients)
    async with httpx.AsyncClient(base_url=service.url, timeout=180, limits=limits) as http:
        clients = [
            _client(http, drawn, number, run, ends, quiet=number < args.quiet, alone=args.alone if args.quiet else 0)
            for number in range(args.clients)
        ]
        if args.job:
            clients.append(_jobs(http, drawn, args.job, run, ends))
        await asyncio.gather(_watch(service, run, ends), _accident(server, run, ends / 2, args.away), *clients)
    return run


async def _client(
    http: httpx.AsyncClient,
    drawn: list[tuple[str, bytes]],
    number: int,
    run: Run,
    ends: float,
    *,
    quiet: bool,
    alone: float,
) -> None:
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


async def _jobs(http: httpx.AsyncClient, drawn: list[tuple[str, bytes]], pictures: int, run: Run, ends: float) -> None:
    """One job after the other, each awaited to its end, the last of them past the end of the run."""
    headers = {"Authorization": "Bearer jobs"}
    files = [("image", (f"{number}.jpg", drawn[number % len(drawn)][1])) for number in range(pictures)]
    while run.now() < ends:
        answer = await http.post("/v1/jobs", files=files, data={"document": "auto", "include": "data"}, headers=headers)
        if answer.status_code != 202:
            await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
            continue
        job = answer.json()
        run.job_pictures += job["total"]
        while job["state"] != "done":
            await asyncio.sleep(1)
            job = (await http.get(f"/v1/jobs/{job['id']}", headers=headers)).json()
        run.job_results += job["done"]
        run.job_failed += sum(result["error"] is not None for result in job["results"])


async def _watch(service: Child, run: Run, ends: float) -> None:
    while run.now() < ends:
        run.memory.append((round(run.now(), 1), round(service.resident_mib(), 1)))
        print(f"\r{run.now():.0f}/{ends:.0f} s, {len(run.replies)} replies", end="", file=sys.stderr)
        await asyncio.sleep(min(5.0, ends / 20))
    print(file=sys.stderr)


async def _accident(server: Child, run: Run, at: float, away: float) -> None:
    await asyncio.sleep(at)
    run.killed = run.now()
    await asyncio.to_thread(server.kill)
    await asyncio.sleep(away)
    server.start()
    await asyncio.to_thread(server.wait_ready)
    run.back = run.now()


if __name__ == "__main__":
    sys.exit(main())

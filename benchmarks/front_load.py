"""64 clients for ten minutes; the model server is killed in the middle and started again.

    python -m benchmarks.front_load --server-command "python -m server --model FOLDER --port 8297"

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
from benchmarks.front_report import Reply, report
from benchmarks.front_services import Child, cards, front, model_server, running


@dataclass
class Run:
    """What one run saw. Times are seconds since its begin."""

    begun: float
    replies: list[Reply]
    memory: list[tuple[float, float]]
    killed: float | None = None
    back: float | None = None

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
    service = front(args.port, server)
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
        "machine": machine.describe(),
    }
    if args.out:
        args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))
    return 1 if result["dishonest"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.front_load", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=64, help="default: %(default)s")
    parser.add_argument("--minutes", type=float, default=10, help="default: %(default)s")
    parser.add_argument("--away", type=float, default=20, help="seconds until the server is started again")
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
        clients = [_client(http, drawn, number, run, ends) for number in range(args.clients)]
        await asyncio.gather(_watch(service, run, ends), _accident(server, run, ends / 2, args.away), *clients)
    return run


async def _client(http: httpx.AsyncClient, drawn: list[tuple[str, bytes]], number: int, run: Run, ends: float) -> None:
    while (sent := run.now()) < ends:
        document, image = drawn[number % len(drawn)]
        number += 1
        try:
            answer = await http.post("/v1/extract", files={"image": ("a.jpg", image)}, data={"document": document})
        except httpx.HTTPError as error:
            run.replies.append(Reply(sent, run.now(), 0, type(error).__name__, None))
            await asyncio.sleep(1)
            continue
        body: dict[str, Any] = {} if answer.is_success else answer.json()
        later = answer.headers.get("retry-after")
        run.replies.append(Reply(sent, run.now(), answer.status_code, body.get("error", {}).get("code", ""), later))
        if later:
            await asyncio.sleep(float(later))


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

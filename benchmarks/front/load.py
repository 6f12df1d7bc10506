"""64 clients for ten minutes; the model server is killed in the middle and started again.

With `--quiet N` the service has keys: N clients of the key `quiet` ask alone for `--alone` seconds, then all others
come as the key `flood` and do not stop; with `--job N` a third key has jobs of N pictures read beside them, always.
With `--fronts N --database URL` so many fronts share their jobs in a PostgreSQL, and clients spread over them; what one
front took in is asked of the others, too.

    python -m benchmarks.front.load --real
    python -m benchmarks.front.load --server-command "python -m server --model FOLDER --port 8297"

Without either a stand-in takes the model server's place. Every client sends one card after the other and keeps to
`Retry-After`. What is an error: any status but 200, 429 and 503, and a 429 or 503 without `Retry-After`. The last line
is one JSON document.
"""

import argparse
import asyncio
import base64
import json
import secrets
import shlex
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import httpx

from adapters.provenance import stamp
from benchmarks.front.clients import KEYS, Cards, Run, person, program
from benchmarks.front.report import report
from benchmarks.front.services import Child, cards, front, model_server, running
from benchmarks.harness.served_base import served_base
from benchmarks.harness.services import server_command


def main() -> int:
    """Run it; 1 when something but an honest 429 or 503 came back, or a service did not start."""
    args, before = _parser().parse_args(), stamp()
    if args.quick:
        args.clients, args.minutes, args.away = 8, 0.7, 4.0
    drawn = cards(args.distinct)
    if args.real:
        args.server_command = _own(args.port + 1)
    server = model_server(args.port + 1, args.server_command, args.seconds)
    try:
        settings = _settings(args)
        fronts = [front(args.port + 2 * number, server, **settings) for number in range(args.fronts)]
        with running(server, *fronts):
            run = asyncio.run(_load(args, drawn, fronts, server))
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    result = {
        "benchmark": "front_load",
        "clients": args.clients,
        "minutes": args.minutes,
        "fronts": args.fronts,
        "server": "real" if args.server_command else "stand-in",
        **report(run.replies, run.memory, run.killed, run.back),
        "jobs": {"pictures": run.job_pictures, "results": run.job_results, "failed": run.job_failed},
        **before,
    }
    if args.out:
        args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))
    return 1 if result["dishonest"] else 0


def _own(port: int) -> str:
    return shlex.join(server_command(served_base().folder, "adapters", port))


def _settings(args: argparse.Namespace) -> dict[str, str]:
    """Of every front. Raises RuntimeError where several have nothing to share jobs in."""
    if args.fronts > 1 and args.job and not args.database:
        raise RuntimeError("Jobs through several fronts want --database, the address of an empty PostgreSQL.")
    settings = {"KEYS": ",".join(KEYS)} if args.quiet else {}
    if args.database:
        settings |= {"JOBS_DATABASE": args.database, "JOBS_KEY": base64.b64encode(secrets.token_bytes(32)).decode()}
    return settings


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
    parser.add_argument("--fronts", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--database", help="PostgreSQL that the fronts share jobs in: postgresql://user@host:port/name")
    parser.add_argument("--distinct", type=int, default=32, help="different cards (default: %(default)s)")
    parser.add_argument("--server-command", help="starts a model server on the port after --port")
    parser.add_argument("--real", action="store_true", help="this server with the base that make up serves")
    parser.add_argument("--seconds", type=float, default=0.5, help="the stand-in's answer (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8296, help="of the front (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="file for the JSON document too")
    parser.add_argument("--quick", action="store_true", help="8 clients for 42 seconds, to see that it works")
    return parser


async def _load(args: argparse.Namespace, drawn: Cards, fronts: Sequence[Child], server: Child) -> Run:
    run = Run(time.monotonic(), [], [])
    ends = args.minutes * 60
    alone = args.alone if args.quiet else 0
    limits = httpx.Limits(max_connections=args.clients + 1)
    async with AsyncExitStack() as stack:
        https = [
            await stack.enter_async_context(httpx.AsyncClient(base_url=one.url, timeout=180, limits=limits))
            for one in fronts
        ]
        clients = [
            person(https[number % len(https)], drawn, number, run, ends, quiet=number < args.quiet, alone=alone)
            for number in range(args.clients)
        ]
        if args.job:
            clients.append(program(https, drawn, args.job, run, ends))
        await asyncio.gather(_watch(fronts, run, ends), _accident(server, run, ends / 2, args.away), *clients)
    return run


async def _watch(fronts: Sequence[Child], run: Run, ends: float) -> None:
    while run.now() < ends:
        run.memory.append((round(run.now(), 1), round(sum(one.resident_mib() for one in fronts), 1)))
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

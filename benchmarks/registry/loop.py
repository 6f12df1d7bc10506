"""The loop of docs/how-to/another-revision.md on real receipts: does each of its commands do what the page says?

    python -m benchmarks.registry.loop --data ../shared

A revision of the first hundred receipts is trained and serves; the shipped one comes in with a tenth of the traffic,
a scripted person corrects what the front answers to pictures that neither learnt from, both are measured on the
corrections, and the page's last line decides. Then the worse one comes in over the better one, and one whose weights
are noise, which must go back by itself. Real model server, real front, the page's own commands. Sums alone leave its
folder. 1 where a picture got no answer, or somebody else serves than should.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from adapters import embedded
from adapters.errors import AdaptersError
from adapters.provenance import stamp
from adapters.quantize.form import Ready
from adapters.registry.manifest import read_manifest
from adapters.training.given import chosen
from adapters.training.recipe import Recipe
from adapters.training.recipe_data import Source
from benchmarks.front.services import Child, front, running
from benchmarks.harness.frame import RESULTS, say
from benchmarks.harness.record import record
from benchmarks.harness.served_base import served_base
from benchmarks.harness.services import server_command
from benchmarks.registry.loop_revisions import lay_out, newest, noise
from benchmarks.registry.loop_rounds import FOLDER, HTTP, Loop
from benchmarks.registry.loop_runbook import Runbook
from benchmarks.registry.loop_traffic import Traffic

_SECONDS = 300  # of one picture
_FIRST = 400  # of the pictures: no revision learnt from them


def main() -> int:
    """Run it."""
    args = _parser().parse_args()
    if args.quick:
        args.pictures, args.held_out, args.share, args.min_requests = 6, 3, 50, 3
    before, begun, base = stamp(), time.monotonic(), served_base()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recipe = lay_out(folder, args.data, args.held_out, args.quick)
        server = _server(folder, base, args)
        reader = front(args.port + 1, server, MODEL=recipe.name, CORRECTIONS="true")
        book = Runbook(folder, recipe.name, reader.url, server.url, args.share)
        try:
            result = _loop(args, base, book, recipe, server, reader)
        except (RuntimeError, AdaptersError) as error:
            print(error, file=sys.stderr)
            return 1
    rounds = [result[each] for each in ("better", "worse", "failing")]
    lost = sum(each["lost"] for each in rounds)
    result |= {"lost": lost, "commands": book.ran, "minutes": round((time.monotonic() - begun) / 60, 1)}
    record("receipts_loop", args.out, {**result, **before})
    return 0 if not lost and all(each["as_decided"] for each in rounds) else 1


def _loop(
    args: argparse.Namespace, base: Ready, book: Runbook, recipe: Recipe, server: Child, reader: Child
) -> dict[str, Any]:
    assert recipe.spec is not None
    first = _train(args, base, book)
    second = _add(args.newest or newest(), base, book)
    book.other(f"python -m adapters registry switch {recipe.name} {first}")
    source = Source(path=recipe.data.examples[0].path, range=(_FIRST, _FIRST + args.pictures))
    pictures = chosen([source], recipe.spec, args.data)
    traffic = Traffic(httpx.Client(base_url=reader.url, timeout=_SECONDS), recipe.name, recipe.spec, pictures)
    loop = Loop(book, traffic, args.pictures, after=4, most=40 * args.min_requests, pause=15)
    before = [loop.before(first, second)]
    before.append(loop.before(second, first, measured=True))
    with running(server, reader):
        better = loop.judged(first, second, FOLDER)
        worse = loop.judged(second, first, HTTP)
        third = _add(noise(book.folder / "adapters" / recipe.name / first, book.folder / "noise", 0), base, book)
        failing = loop.failing(second, third)
    return {
        "benchmark": "receipts_loop", "quick": args.quick, "share_percent": args.share,
        "split_min_requests": args.min_requests, "revisions": {"hundred": first, "newest": second, "noise": third},
        "training": {name: _spent(book, revision) for name, revision in (("hundred", first), ("newest", second))},
        "before": before, "better": better, "worse": worse, "failing": failing,
    }  # fmt: skip


def _spent(book: Runbook, revision: str) -> dict[str, Any]:
    """What its last training was, as its manifest says it."""
    manifest = read_manifest(book.folder / "adapters" / book.adapter / revision)
    measured = (manifest.measured if manifest else None) or {}
    return {name: measured.get(name) for name in ("samples", "steps", "tokens", "seconds")}


def _train(args: argparse.Namespace, base: Ready, book: Runbook) -> str:
    """The revision of a hundred receipts: trained by the page's command, or one that was."""
    if args.hundred:
        return _add(args.hundred, base, book)
    say("training on a hundred receipts")
    book.run(1, 2)
    [made] = [path.name for path in (book.folder / "adapters" / book.adapter).iterdir() if path.is_dir()]
    return made


def _add(revision: Path, base: Ready, book: Runbook) -> str:
    """Into the loop's registry; its name."""
    there = book.folder / "adapters" / book.adapter
    before = {path.name for path in there.iterdir()} if there.is_dir() else set()
    book.other(f"python -m adapters registry add {book.adapter} {revision.resolve()} --base {base.original}")
    [made] = [path.name for path in there.iterdir() if path.name not in before and path.is_dir()]
    return made


def _server(folder: Path, base: Ready, args: argparse.Namespace) -> Child:
    named = ("--model-name", embedded.NAME, "--kv-cache-gib", "1")
    command = server_command(base.folder, folder / "adapters", args.port, *named)
    settings = {"SERVER_SPLIT_MIN_REQUESTS": str(args.min_requests)}
    return Child("model server", command, f"http://127.0.0.1:{args.port}", settings)


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.registry.loop", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    made.add_argument("--data", type=Path, required=True, help="the folder in which `receipts` lies")
    made.add_argument("--hundred", type=Path, help="a revision that receipt-hundred.yaml made (default: train it)")
    made.add_argument("--newest", type=Path, help="the better revision (default: the newest below adapters/receipt)")
    made.add_argument("--pictures", type=int, default=50, help="of a round (default: %(default)s)")
    made.add_argument(
        "--held-out", type=int, default=50, help="receipts that measure before anybody is served (default: %(default)s)"
    )
    made.add_argument("--share", type=int, default=10, help="percent of the new revision (default: %(default)s)")
    made.add_argument(
        "--min-requests", type=int, default=5, help="SERVER_SPLIT_MIN_REQUESTS, 20 by default (here: %(default)s)"
    )
    made.add_argument("--port", type=int, default=8280, help="the first of two ports (default: %(default)s)")
    made.add_argument("--out", type=Path, default=RESULTS, help="folder of the JSON (default: %(default)s)")
    made.add_argument("--quick", action="store_true", help="six pictures a round, two steps: to see that it works")
    return made


if __name__ == "__main__":
    sys.exit(main())

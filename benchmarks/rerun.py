"""`make results`: every result file of README and docs measured anew, one after the other, then the numbers in them.

    python -m benchmarks.rerun                     everything, about five hours on two quiet cores
    python -m benchmarks.rerun --only card load    these alone; --list names them all
    python -m benchmarks.rerun --data ../shared    also what needs the receipts (docs/how-to/new-document.md)

What fails is named at the end and keeps its earlier result. Each command's output goes to runs/results/NAME.log.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from adapters.registry.home import SHIPPED
from benchmarks.harness.interrupts import interruptible

_LOGS = Path("runs/results")
_FRONT = "http://127.0.0.1:8080/ready"
_STARTS = 900  # seconds: an environment and a base may have to be made
_CNI = "adapters/" + next(name for name in SHIPPED if name.startswith("cni@")).replace("@", "/")


@dataclass(frozen=True)
class Step:
    """A command of this environment's Python. `services`: against those of `make up`; `data`: with the receipts."""

    name: str
    command: str
    minutes: int
    services: bool = False
    data: bool = False


STEPS = (
    # Before what loads the services: the dashboard's picture shows a usual day.
    Step("pictures", "-m benchmarks.publish.result_picture", 1, services=True),
    Step("page", "-m benchmarks.publish.page_pictures", 1, services=True),
    Step("card", "-m benchmarks.cards.card", 5, services=True),
    Step("load", "-m benchmarks.cards.load", 4, services=True),
    Step("evaluation", "-m adapters evaluate", 12, services=True),
    # Few cards: the base answers each in many words. Their rows stand beside the adapter's.
    Step("base-alone", f"-m adapters evaluate --model base --base-count 3 --out {_CNI}", 10, services=True),
    Step("objects", "-m adapters evaluate --model cni-object --count 30", 10, services=True),
    Step("detection", "-m adapters detect --count 180", 8, services=True),
    Step("tax", "-m benchmarks.lora.tax", 14),
    Step("mixed", "-m benchmarks.lora.mixed", 6),
    Step("mixed-embedded", "-m benchmarks.lora.mixed --shape embedded", 3),
    Step("many", "-m benchmarks.lora.many", 16),
    Step("floor", "-m benchmarks.lora.floor", 3),
    Step("memory", "-m benchmarks.lora.memory", 4),
    Step("memory-fit", "-m benchmarks.lora.memory_fit", 9),
    Step("drafts", "-m benchmarks.lora.drafts --forms int8 --cards 40", 8),
    Step(
        "drafts-answers", "-m benchmarks.lora.drafts --forms int8 --answers lines --cards 500 --name drafts-answers", 12
    ),
    Step("mixed-drafts", "-m benchmarks.lora.mixed_drafts", 6),
    Step(
        "drafts-qwen3",
        "-m benchmarks.lora.drafts --shape qwen3-0.6b --forms int8 --cards 5 --at-once 1 --known 0.95",
        4,
    ),
    Step("rivals", "-m benchmarks.rivals.today --shape embedded", 15),
    Step("rivals-qwen3", "-m benchmarks.rivals.today --shape qwen3-0.6b --crowds 8", 12),
    Step("quantization", "-m benchmarks.quantization.table", 30),
    Step("rules", f"-m benchmarks.rivals.rules_baseline --cards runs/held-out-rules --out {_CNI}", 6),
    Step("zones", "-m benchmarks.cards.mrz_false_accepts --zones 200000", 3),
    Step("hostile", "-m benchmarks.front.hostile_inputs", 2),
    Step("front", "-m benchmarks.front.load --real --out benchmarks/results/front_load.json", 12),
    Step("front-memory", "-m benchmarks.front.memory", 20),
    Step("eviction", "-m benchmarks.registry.eviction", 2),
    Step("fuzz", "-m benchmarks.registry.fuzz", 3),
    Step("soak", "-m benchmarks.lora.soak --minutes 20", 35),
    Step("two-documents", "-m benchmarks.lora.two_documents", 10, data=True),
    Step("loop", "-m benchmarks.registry.loop", 25, data=True),
)
_LAST = (Step("figures", "-m benchmarks.publish.figures --write", 1), Step("capacity", "-m deploy.capacity", 1))


def main() -> int:
    """1 when a step failed."""
    args = _parser().parse_args()
    wanted = [step for step in STEPS if step.name in (args.only or [step.name]) and (args.data or not step.data)]
    if args.list:
        for step in STEPS:
            print(f"{step.name:14} {step.minutes:3} min  {step.command}{' --data FOLDER' if step.data else ''}")
        return 0
    print(
        f"{len(wanted)} commands, about {sum(step.minutes for step in wanted)} minutes on two quiet cores", flush=True
    )
    with interruptible():
        failed = list(_with_services([step for step in wanted if step.services], args))
        failed += [step.name for step in [*(one for one in wanted if not one.services), *_LAST] if not _ran(step, args)]
    print(f"failed: {', '.join(failed)}; see {_LOGS}" if failed else "all of them ran")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rerun",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", choices=[step.name for step in STEPS], metavar="NAME", help="of --list")
    parser.add_argument("--data", type=Path, help="the folder in which `receipts` lies")
    parser.add_argument("--list", action="store_true", help="what there is, and how long it takes")
    return parser


def _with_services(steps: Sequence[Step], args: argparse.Namespace) -> Iterator[str]:
    """The names of those that failed."""
    if not steps:
        return
    try:
        with _up():
            yield from [step.name for step in steps if not _ran(step, args)]
    except TimeoutError:
        print(f"make up was not ready after {_STARTS} s; see {_LOGS / 'up.log'}")
        yield from (step.name for step in steps)


@contextlib.contextmanager
def _up() -> Iterator[None]:
    """`make up`, ready. Raises TimeoutError."""
    _LOGS.mkdir(parents=True, exist_ok=True)
    with (_LOGS / "up.log").open("w") as log:
        process = subprocess.Popen(["python3", "-m", "deploy.up"], stdout=log, stderr=log, start_new_session=True)
    try:
        begun = time.monotonic()
        while not _ready():
            if process.poll() is not None or time.monotonic() - begun > _STARTS:
                raise TimeoutError
            time.sleep(1)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _ready() -> bool:
    try:
        found = httpx.get(_FRONT, timeout=5)
    except httpx.HTTPError:
        return False
    return found.status_code == 200 and found.json().get("model_server") == "ready"


def _ran(step: Step, args: argparse.Namespace) -> bool:
    _LOGS.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, *step.command.split(), *(["--data", str(args.data)] if step.data else [])]
    begun = time.monotonic()
    with (_LOGS / f"{step.name}.log").open("w") as log:
        ended = _waited(subprocess.Popen(command, stdout=log, stderr=log))
    said = "done" if ended == 0 else f"failed ({ended})"
    print(f"{step.name:14} {said}, {(time.monotonic() - begun) / 60:.1f} min", flush=True)
    return ended == 0


def _waited(process: subprocess.Popen[bytes]) -> int:
    """Its exit status; it is interrupted, so that it stops what it started, when this program is."""
    try:
        return process.wait()
    except BaseException:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise


if __name__ == "__main__":
    sys.exit(main())

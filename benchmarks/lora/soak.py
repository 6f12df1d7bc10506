"""Everything at once for twenty minutes, in bfloat16: is every answer its own revision's?

    python -m benchmarks.lora.soak --minutes 20

One real server with the embedded base, many more adapters than places, clients at once: greedy answers and sampled
ones, streams and whole ones, clients that leave in the middle, an alias that is switched every second, loads and
evictions, prompts that share their beginnings in the prefix cache. Before, each revision is asked each prompt alone;
every greedy answer is held against that (soak_answers.py says how, in bfloat16). 1 when an answer was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from adapters import bases
from adapters.provenance import stamp
from adapters.settings import Settings
from benchmarks.harness.frame import RESULTS, say
from benchmarks.harness.record import record
from benchmarks.harness.registry_fill import Filler
from benchmarks.harness.services import running
from benchmarks.lora.soak_answers import Answers, Server
from benchmarks.lora.soak_traffic import SWITCHED, Traffic
from benchmarks.tune.launch import modelled_prompts

_SCALE = 0.06  # of the adapters' random weights: different enough that nearly every answer tells which one gave it
_REVISIONS = 3
_TABLE = Path("docs/results/soak.md")


def main() -> int:
    """Run it."""
    args = _parser().parse_args()
    base = bases.resolve(args.base, Settings())
    prompts = list(itertools.islice(modelled_prompts(args.seed), args.prompts))
    with tempfile.TemporaryDirectory() as folder:
        filler = Filler(Path(folder), base, args.seed, _SCALE)
        names = [_public(f"a{number:04d}", filler, number) for number in range(args.adapters)]
        revisions = [_public(SWITCHED, filler, 100_000 + number) for number in range(_REVISIONS)]
        environment = {
            "SERVER_MODEL": str(base), "SERVER_ADAPTERS_DIR": folder, "SERVER_PORT": str(args.port),
            "SERVER_DTYPE": "bfloat16", "SERVER_MAX_MODEL_LEN": "1024", "SERVER_KV_CACHE_GIB": "1",
            "SERVER_MAX_LORAS": str(args.slots), "SERVER_MAX_CPU_LORAS": str(args.places),
        }  # fmt: skip
        with running([sys.executable, "-m", "server"], args.port, environment, "/ready") as url:
            result = asyncio.run(_soak(args, url, prompts, names, revisions))
    args.table.write_text(_table(result), encoding="utf-8")
    record("soak", args.out, result)
    return 1 if result["wrong"] or result["failed"] or result["left_running"] else 0


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.lora.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.set_defaults(stamp=stamp())  # before the run
    made.add_argument("--minutes", type=float, default=20, help="of traffic (default: %(default)s)")
    made.add_argument("--base", default=bases.EMBEDDED, help="base model (default: %(default)s)")
    made.add_argument("--adapters", type=int, default=60, help="default: %(default)s")
    made.add_argument("--places", type=int, default=16, help="adapters in memory (default: %(default)s)")
    made.add_argument("--slots", type=int, default=4, help="adapters in a batch (default: %(default)s)")
    made.add_argument("--prompts", type=int, default=6, help="different ones (default: %(default)s)")
    made.add_argument("--clients", type=int, default=16, help="at once (default: %(default)s)")
    made.add_argument("--seed", type=int, default=0, help="of weights, prompts and traffic (default: %(default)s)")
    made.add_argument("--port", type=int, default=8150, help="of the server (default: %(default)s)")
    made.add_argument("--out", type=Path, default=RESULTS, help="folder of the JSON (default: %(default)s)")
    made.add_argument("--table", type=Path, default=_TABLE, help="where its table goes (default: %(default)s)")
    return made


def _public(name: str, filler: Filler, number: int) -> str:
    return f"{name}@{filler.add(name, number)}"


async def _soak(
    args: argparse.Namespace, url: str, prompts: list[str], names: list[str], revisions: list[str]
) -> dict[str, Any]:
    async with Server(url) as server:
        base = await server.base()
        answers = Answers(server, prompts)
        say(f"{len(names) + len(revisions) + 1} models are asked {len(prompts)} prompts each, one after the other")
        await answers.take([base, *names, *revisions])
        before = await server.metrics()
        say(f"{args.minutes:g} minutes of traffic")
        traffic = Traffic(server, answers, [base, *names], revisions, args.seed)
        begun = time.monotonic()
        await traffic.run(args.clients, 60 * args.minutes)
        seconds = time.monotonic() - begun
        after, left = await server.metrics(), await server.left_running()
        say(f"{len(answers.differing)} answers that differ from those taken alone are read by their own revision")
        judged = await answers.judge()

    def grown(name: str) -> int:
        return round(after.get(name, 0) - before.get(name, 0))

    return {
        "benchmark": "soak", "minutes": round(seconds / 60, 2), "dtype": "bfloat16", "base": args.base,
        **{key: getattr(args, key) for key in ("adapters", "places", "slots", "prompts", "clients", "seed")},
        **traffic.counts, **judged, "left_running": left,
        "loads": grown("cni_server_adapter_loads_total"), "evictions": grown("cni_server_adapter_evictions_total"),
        "prefix_cache_tokens_found": grown("vllm:prefix_cache_hits_total"),
        "prefix_cache_tokens_asked": grown("vllm:prefix_cache_queries_total"),
        "memory_mb": [round(_memory(before)), round(_memory(after))],
        **args.stamp,
    }  # fmt: skip


def _memory(metrics: dict[str, float]) -> float:
    name = "cni_server_process_resident_memory_bytes"
    return sum(value for key, value in metrics.items() if key.startswith(name)) / 1e6


def _table(result: dict[str, Any]) -> str:
    where, memory = result["machine"], result["memory_mb"]
    rows = {
        "minutes": result["minutes"],
        "requests": f"{result['requests']:,}",
        "of these greedy, held against their revision's own answer": f"{result['greedy']:,}",
        "the same token by token": f"{result['same']:,}",
        "other tokens, each as likely as the best one to rounding": f"{result['rounding']:,}",
        "**wrong answers**": f"**{result['wrong']}**",
        "requests that failed": result["failed"],
        "sampled": f"{result['sampled']:,}",
        "streams": f"{result['streamed']:,}",
        "clients that left in the middle": f"{result['aborts']:,}",
        "switches, each followed by a request that had to get the new revision": f"{result['switches']:,}",
        "loads": f"{result['loads']:,}",
        "evictions": f"{result['evictions']:,}",
        "tokens of prompts found in the prefix cache": f"{result['prefix_cache_tokens_found']:,} of "
        f"{result['prefix_cache_tokens_asked']:,}",
        "pairs of revisions that a prompt's answers tell apart": f"{result['told_apart']:.1%}",
        "answers read by a revision that did not give them, and called wrong": f"{result['mixed_up_seen']:.1%}",
        "largest distance of a token to the best one, in log-probability": result["largest_gap"],
        "requests that still ran at the end": result["left_running"],
        "memory, MB, begin and end": f"{memory[0]:,}, {memory[1]:,}",
        "load average before": str(result["load_average"]),
        "commit, date": f"{result['commit']}, {result['date']} UTC",
    }
    head = (
        "# The soak\n\n`python -m benchmarks.lora.soak` asks one server everything at once; how answers are compared "
        "stands in `benchmarks/lora/soak_answers.py`.\n"
        f"Base `{result['base']}` in bfloat16, {result['adapters']} adapters with {result['places']} places and "
        f"{result['slots']} slots, {result['clients']} clients, seed {result['seed']}; "
        f"{where['cores']} cores, {where['memory_gib']} GiB, {where['processor']}.\n\n| | |\n|---|---|\n"
    )
    return head + "".join(f"| {name} | {value} |\n" for name, value in rows.items())


if __name__ == "__main__":
    sys.exit(main())

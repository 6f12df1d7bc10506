"""Steps, seconds and answers with drafts and without, on two servers that answer the same cards in turns.

    python -m benchmarks.lora.drafts --cards 40
    python -m benchmarks.lora.drafts --shape qwen3-0.6b --cards 6 --at-once 1

`lines`: the shipped adapter's answers to recorded OCR lines. `object`: a JSON object with keys by a base model; a base
that was not trained for cards, or whose weights are random, is held to values that are lines of its prompt, so that
its answers have the form of an extraction (keys, and copies of lines), but it copies lines that nobody can foresee.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from adapters import bases
from adapters.settings import Settings
from benchmarks.harness import line_answers
from benchmarks.harness.frame import Panel, median, parser, publish, say
from benchmarks.harness.models import EMBEDDED, SHAPES, write_models
from benchmarks.harness.services import running

_CARDS = Path("adapters/recipes/recorded.jsonl.gz")
_COUNTERS = {
    "steps": "vllm:iteration_tokens_total_count",
    "written": "vllm:generation_tokens_total",
    "drafted": "vllm:spec_decode_num_draft_tokens_total",
    "accepted": "vllm:spec_decode_num_accepted_tokens_total",
}


@dataclass(frozen=True)
class Run:
    """One slice of cards by one server."""

    seconds: float
    counted: dict[str, float]
    answers: list[str]


def main() -> int:
    """Run it."""
    args = _parser().parse_args()
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as services:
        base = _base(Path(scratch), args.shape, args.seed)
        urls = {
            name: services.enter_context(running(*_server(args, base, Path(scratch), tokens, place), "/ready"))
            for place, (name, tokens) in enumerate({"off": 0, "on": args.tokens}.items())
        }
        cards = [json.loads(line) for line in gzip.decompress(_CARDS.read_bytes()).decode().splitlines()]
        forms = ["object"] if args.shape != EMBEDDED else ["lines", "object"]
        rows = [_row(args, urls, form, at_once, cards) for form in forms for at_once in args.at_once]
    publish(f"drafts-{args.shape}", args, {"shape": args.shape, "tokens": args.tokens, "rows": rows}, _panels(rows))
    return 0


def _parser() -> argparse.ArgumentParser:
    made = parser("lora.drafts", __doc__, rounds=2)
    made.add_argument("--shape", choices=[EMBEDDED, *sorted(SHAPES)], default=EMBEDDED, help="default: %(default)s")
    made.add_argument("--cards", type=int, default=40, help="in a round (default: %(default)s)")
    made.add_argument("--at-once", type=int, nargs="+", default=[1, 8], help="requests (default: %(default)s)")
    made.add_argument("--tokens", type=int, default=8, help="drafted at most (default: %(default)s)")
    made.add_argument("--port", type=int, default=8260, help="the first of two ports (default: %(default)s)")
    return made


def _base(folder: Path, shape: str, seed: int) -> Path:
    embedded = bases.resolve(EMBEDDED, Settings())
    if shape == EMBEDDED:
        return embedded
    base = write_models(folder, shape, adapters=1, seed=seed).base
    for path in (*embedded.glob("tokenizer*"), *embedded.glob("special*"), *embedded.glob("*.jinja")):
        shutil.copy(path, base / path.name)  # texts, instead of one word a token
    return base


def _server(
    args: argparse.Namespace, base: Path, folder: Path, tokens: int, place: int
) -> tuple[list[str], int, dict[str, str]]:
    port = args.port + place
    registry = "adapters"
    if args.shape != EMBEDDED:  # none of the shipped adapters fits it
        registry = str(folder / f"registry-{place}")
        Path(registry).mkdir()
    command = [sys.executable, "-m", "server", "--model", str(base), "--adapters-dir", registry, "--port", str(port)]
    command += ["--model-name", "base", "--kv-cache-gib", "1", "--max-model-len", "2048"]
    return command, port, {"SERVER_DRAFT_TOKENS": str(tokens), "SERVER_BASE_ALIASES": "SmolLM2-135M-Instruct"}


def _row(
    args: argparse.Namespace, urls: dict[str, str], form: str, at_once: int, cards: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    runs: dict[str, list[Run]] = {name: [] for name in urls}
    for number in range(-1, args.rounds):
        first = (number + 1) * args.cards
        for name in sorted(urls, reverse=number % 2 == 0):
            run = _run(urls[name], form, at_once, cards[first : first + args.cards])
            say(f"{form}, {at_once} at once, drafts {name}: {run.seconds:.2f} s, {run.counted}")
            if number >= 0:
                runs[name].append(run)
    off, on = runs["off"], runs["on"]
    pairs = [pair for a, b in zip(off, on, strict=True) for pair in zip(a.answers, b.answers, strict=True)]
    total = {name: {key: sum(run.counted[key] for run in runs[name]) for key in _COUNTERS} for name in runs}
    return {
        "form": form,
        "at_once": at_once,
        "cards": len(pairs),
        "tokens_a_card": round(total["off"]["written"] / len(pairs), 1),
        "fewer_steps": round(total["off"]["steps"] / total["on"]["steps"], 2),
        "accepted": round(total["on"]["accepted"] / max(total["on"]["drafted"], 1), 3),
        "times_as_fast": median([a.seconds for a in off], 9) / median([b.seconds for b in on], 9),
        "answers_changed": sum(a != b for a, b in pairs),
        "counted": total,
    }


def _run(url: str, form: str, at_once: int, cards: Sequence[dict[str, Any]]) -> Run:
    with httpx.Client(base_url=url, timeout=1800) as client:
        contract = None if form == "object" else _contract(client)
        bodies = [_body(card, contract) for card in cards]
        before = _counters(client)
        begun = time.perf_counter()
        with ThreadPoolExecutor(at_once) as pool:
            answers = list(pool.map(lambda body: _ask(client, body), bodies))
        took = time.perf_counter() - begun
        after = _counters(client)
    return Run(took, {name: after[name] - before[name] for name in after}, answers)


def _ask(client: httpx.Client, body: dict[str, Any]) -> str:
    answer = client.post("/v1/completions", json=body)
    answer.raise_for_status()
    return str(answer.json()["choices"][0]["text"])


def _contract(client: httpx.Client) -> dict[str, Any]:
    listed = client.get("/v1/models").json()["data"]
    return next(model["prompt"] for model in listed if model.get("prompt"))


def _counters(client: httpx.Client) -> dict[str, float]:
    lines = client.get("/metrics").text.splitlines()
    return {
        key: sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name}{{", f"{name} ")))
        for key, name in _COUNTERS.items()
    }


def _body(card: dict[str, Any], contract: dict[str, Any] | None) -> dict[str, Any]:
    lines, fields = card["lines"], [f"field_{number}" for number in range(len(card["targets"]))]
    if contract is None:
        page = "\n".join(lines)
        prompt = f"<|im_start|>user\nOne JSON object with these keys: {', '.join(fields)}\n{page}<|im_end|>\n"
        prompt += "<|im_start|>assistant\n"
        values = "|".join(re.escape(json.dumps(line, ensure_ascii=False)) for line in dict.fromkeys(lines))
        form = r"\{" + ", ".join(f'"{field}": (?:{values})' for field in fields) + r"\}"
        return _request("base", prompt, form)
    document = contract["documents"][card["document"]]
    page = "".join(
        contract["line"].replace("{index}", str(index)).replace("{text}", text) for index, text in enumerate(lines)
    )
    answer = line_answers.form([3] * len(document["fields"]), len(lines))
    return _request("cni", document["prefix"] + page + contract["suffix"], answer)


def _request(model: str, prompt: str, form: str) -> dict[str, Any]:
    sampling = {"temperature": 0, "max_tokens": 512, "logprobs": 0}
    return {"model": model, "prompt": prompt, "structured_outputs": {"regex": form}, **sampling}


def _panels(rows: Sequence[dict[str, Any]]) -> list[Panel]:
    groups = tuple(f"{row['form']}, {row['at_once']} at once" for row in rows)
    series: dict[str, list[float | None]] = {
        "fewer steps": [row["fewer_steps"] for row in rows],
        "as fast": [row["times_as_fast"] for row in rows],
    }
    return [Panel("Drafts on against off: more is better", "times", groups, series)]


if __name__ == "__main__":
    sys.exit(main())

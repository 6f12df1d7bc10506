"""Which memory starts what: limits of 8, 16 and 24 GB, Qwen3-0.6B's shape (random weights) in bfloat16 and INT8.

    python -m benchmarks.lora.memory_fit --tokenizer FOLDER

The limit is SERVER_MEMORY_GIB, with SERVER_RESERVE_GIB for the OCR front: it stands for a machine or a container of
that size. Each server is started as `python -m server` fits it, asked for cards of 350 prompt tokens and 150 answered
tokens one after the other, then for as many cards at once as it takes in a batch. Its processes' memory (PSS) is read
throughout: what it reached must stay below what it was given. With --tokenizer (Qwen3's own files) answers are held to
a JSON object's grammar; without, they are 150 tokens of anything.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from adapters.markdown import markdown_table
from benchmarks.harness.frame import Panel, median, parser, publish, say
from benchmarks.harness.models import in_eight_bits, write_models
from benchmarks.harness.peak import Peak
from benchmarks.harness.services import Prompts, ask, registry, running, server_command

_GB, _GIB = 10**9, 1 << 30
LIMITS = (8, 16, 24)
PROMPT, ANSWER, POSITIONS, AT_ONCE = 350, 150, 40_960, 8
# 150 tokens never fill it, so that every answer has as many.
_OBJECT = r'\{"nom_surname": "[A-Z][A-Za-z ]{900,1200}"\}'


def main() -> int:
    """Run it."""
    made = parser("lora.memory_fit", __doc__, rounds=3)
    made.add_argument("--tokenizer", type=Path, help="folder of tokenizer.json and tokenizer_config.json")
    made.add_argument("--limits", type=int, nargs="+", default=LIMITS, help="GB (default: %(default)s)")
    made.add_argument("--forms", nargs="+", default=["bf16", "int8"], help="default: %(default)s")
    made.add_argument("--front-gib", type=float, default=1.25, help="left to the OCR front (default: %(default)s)")
    made.add_argument("--port", type=int, default=8410)
    made.add_argument("--plan-only", action="store_true", help="what is chosen, without starting a server")
    args = made.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bases, adapters = _bases(Path(folder), args)
        measured = [_row(args, base, form, limit, adapters) for form, base in bases.items() for limit in args.limits]
    rows = _with_earlier(measured, args.out / "memory_fit.json")
    limits = sorted({int(row["limit_gb"]) for row in rows})
    found = {(row["form"], row["limit_gb"]): row.get("one_card_s") for row in rows}
    seconds = {form: [found.get((form, limit)) for limit in limits] for form in sorted({row["form"] for row in rows})}
    groups = tuple(f"{limit} GB" for limit in limits)
    panel = Panel("Qwen3-0.6B's shape: a card of 150 tokens, alone", "s", groups, seconds)
    publish("memory_fit", args, {"prompt": PROMPT, "answer": ANSWER, "rows": rows}, [panel])
    say(shown(rows))
    return 0


def _with_earlier(rows: list[dict[str, Any]], path: Path) -> list[dict[str, Any]]:
    """A row that was only planned does not take the place of one that was measured."""
    earlier = json.loads(path.read_text())["rows"] if path.exists() else []
    merged = {(row["form"], row["limit_gb"]): row for row in earlier}
    for row in rows:
        key = (row["form"], row["limit_gb"])
        if "one_card_s" in row or "one_card_s" not in merged.get(key, {}):
            merged[key] = row
    return [merged[key] for key in sorted(merged)]


def _bases(folder: Path, args: argparse.Namespace) -> tuple[dict[str, Path], Path]:
    """Each form's base, all of one name, and a registry with one adapter of it."""
    models = write_models(folder, "qwen3-0.6b", adapters=1, seed=args.seed)
    config = models.base / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "max_position_embeddings": POSITIONS}))
    if args.tokenizer:
        for name in ("tokenizer.json", "tokenizer_config.json"):
            (models.base / name).write_bytes((args.tokenizer / name).read_bytes())
    bases = {"bf16": models.base}
    if "int8" in args.forms:
        bases["int8"] = in_eight_bits(models.base, folder)
    return {form: bases[form] for form in args.forms}, registry(folder, models.adapters[0])


def _row(args: argparse.Namespace, base: Path, form: str, limit: int, adapters: Path) -> dict[str, Any]:
    given = {"SERVER_MEMORY_GIB": f"{limit * _GB / _GIB:.3f}", "SERVER_RESERVE_GIB": str(args.front_gib)}
    command = server_command(base, adapters, args.port)
    explain = [*command, "explain"]
    shown = subprocess.run(explain, env={**os.environ, **given}, capture_output=True, text=True, check=False)
    row: dict[str, Any] = {"form": form, "limit_gb": limit}
    if shown.returncode:
        return {**row, "starts": False, "why": _why(shown.stderr, base)}
    row |= {"starts": True, **_chosen(shown.stdout)}
    row["given_gib"] = round(float(given["SERVER_MEMORY_GIB"]) - args.front_gib, 2)
    say(str(row))
    if args.plan_only:
        return row
    with running(command, args.port, given, "/ready") as url, Peak(os.getpid(), itself=False) as peak:
        row["rest_gib"] = round(peak.now() / _GIB, 2)
        bodies = [_body(prompt, args) for prompt in Prompts(PROMPT, args.seed).take(args.rounds + 1 + AT_ONCE)]
        alone = [ask(url, [body])[0] for body in bodies[: args.rounds + 1]]
        row["one_card_s"] = median(alone[1:])
        seconds, tokens = ask(url, bodies[args.rounds + 1 :])
        row |= {"eight_s": round(seconds, 2), "tokens": tokens, "load": round(os.getloadavg()[0], 1)}
        row["most_gib"] = round(peak.bytes / _GIB, 2)
    say(str(row))
    return row


def _why(said: str, base: Path) -> str:
    """The server's sentence, without our scratch folder."""
    sentence = said.strip().removeprefix("[server] cannot start: ")
    return (
        sentence.replace(str(base), "Qwen3-0.6B")
        .replace(f"{base.name} does", "Qwen3-0.6B does")
        .replace(f"runs/{base.name}", "runs/Qwen3-0.6B")
    )


def _chosen(text: str) -> dict[str, Any]:
    """`explain`'s own lines."""
    values = dict(re.findall(r"^\[server\] ([^=]+?) = ([\d.,]+)", text, re.MULTILINE))
    return {
        "context": int(values["context length"].replace(",", "")),
        "kv_cache_gib": float(values["KV cache"]),
        "cards": int(values["requests in a batch"]),
    }


def _body(prompt: list[int], args: argparse.Namespace) -> dict[str, Any]:
    form = {"structured_outputs": {"regex": _OBJECT}} if args.tokenizer else {"ignore_eos": True}
    return {"model": "bench", "prompt": prompt, "max_tokens": ANSWER, **form}


_HEADS = (
    "base", "memory", "context", "KV cache", "cards at once", "memory reached / given", "one card", "eight at once",
)  # fmt: skip


def shown(rows: list[dict[str, Any]]) -> str:
    """The table as docs/reference/memory.md has it."""
    return markdown_table(_HEADS, map(_cells, rows))


def _cells(row: dict[str, Any]) -> list[object]:
    first = [row["form"], f"{row['limit_gb']} GB"]
    if not row["starts"]:
        return [*first, f"does not start: {row['why']}", *[""] * 5]
    reached = f"{row['most_gib']:.1f} / {row['given_gib']:.1f} GiB" if "most_gib" in row else "not started here"
    seconds = [f"{row[name]:.1f} s" if name in row else "" for name in ("one_card_s", "eight_s")]
    return [*first, f"{row['context']:,}", f"{row['kv_cache_gib']:.1f} GiB", row["cards"], reached, *seconds]


if __name__ == "__main__":
    sys.exit(main())

"""What each quantization costs and gives: quality on held-out cards, memory, speed, against bf16 in one run.

    python -m benchmarks.quantization.table            the whole table, about 25 minutes on two quiet cores
    python -m benchmarks.quantization.table --quick    that it works: few cards, one round, a tiny random shape

Writes quant_table.json and .png into benchmarks/results, and the tables of docs/explanation/quantization.md and .fr.md;
among them what training costs, where train_methods.json lies there already
(python -m benchmarks.quantization.train_methods). With
--qat REVISION (python -m adapters train adapters/recipes/cni-int4.yaml) there is a row of an adapter that learnt INT4.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from adapters import bases
from adapters.provenance import stamp
from adapters.quantize.methods import METHODS
from adapters.settings import Settings
from benchmarks.harness.models import write_models
from benchmarks.quantization import report as quant_report
from benchmarks.quantization.cards import Question, contract_of, held_out, questions
from benchmarks.quantization.engine import Options, QuantEngine
from benchmarks.quantization.rows import answer_cards, quality, timed
from benchmarks.quantization.variants import QAT, REFERENCE, make, names

# Tokens of an answer: a card's ends by itself long before, an invented one is about as long as a card's.
_ANSWER, _INVENTED = 200, 24


def main() -> int:
    """Run it."""
    args = _parser().parse_args()
    if args.quick:
        args.cards, args.rounds, args.shape, args.samples = 8, 1, "tiny", 4
    with tempfile.TemporaryDirectory() as folder:
        result = _measure(args, Path(folder))
    quant_report.write(result, args.results, None if args.quick else Path("docs/explanation"))
    print(json.dumps(result))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quantization.table",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="only see that it works; the documents are left alone")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS), help="default: all")
    parser.add_argument("--cards", type=int, default=96, help="held-out cards (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="rounds of timing (default: %(default)s)")
    parser.add_argument("--samples", type=int, default=64, help="calibration cards of gptq (default: %(default)s)")
    parser.add_argument("--shape", default="qwen3-0.6b", help="second shape, random weights (default: %(default)s)")
    parser.add_argument("--adapter", type=Path, help="revision folder (default: the one in adapters/cni)")
    parser.add_argument("--qat", type=Path, help="folder of a revision that was trained by qat-lora for INT4")
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--threads", type=int, default=cores, help="OpenMP threads (default: every core)")
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results"), help="default: %(default)s")
    return parser


def _measure(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    from transformers import AutoTokenizer

    before = stamp()
    base, adapter = bases.resolve(bases.EMBEDDED, Settings()), args.adapter or _shipped()
    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    prompts = contract_of(adapter)
    if args.qat and contract_of(args.qat) != prompts:
        raise SystemExit(f"{args.qat} wants to be asked otherwise than {adapter}: they cannot be compared")
    asked = questions(held_out(Path("runs/quant-cards") / str(args.cards), args.cards), prompts, tokenizer)
    plain = Options(base, adapter, "auto", args.threads, tokenizer.eos_token_id)
    embedded = _rows(args, folder, plain, asked, tokenizer)
    models = write_models(folder / "random", args.shape, adapters=1, seed=0)
    random = Options(models.base, models.adapters[0], "auto", args.threads, None)
    return {
        "benchmark": "quant_table",
        "adapter": f"{adapter.parent.name}@{adapter.name}",
        "qat": f"{args.qat.parent.name}@{args.qat.name}" if args.qat else None,
        "cards": args.cards,
        "rounds": args.rounds,
        "threads": args.threads,
        "embedded": embedded,
        "shape": args.shape,
        "random": _rows(args, folder, random, [], None),
        **before,
    }


def _shipped() -> Path:
    revisions = [path for path in Path("adapters/cni").iterdir() if (path / "manifest.json").exists()]
    if len(revisions) != 1:
        raise SystemExit("adapters/cni holds not exactly one revision: name one with --adapter")
    return revisions[0]


def _rows(
    args: argparse.Namespace, folder: Path, plain: Options, asked: Sequence[Question], tokenizer: Any
) -> list[dict[str, Any]]:
    """One row a variant. With `asked`: quality and the cards' own prompts; without: invented prompts, no quality."""
    prompts = [question.tokens for question in asked] or [
        [*range(2, 66), *(2 + (7 * place + index) % 250 for place in range(16))] for index in range(32)
    ]
    longest = _ANSWER if asked else _INVENTED
    rows: list[dict[str, Any]] = []
    with QuantEngine(plain) as reference:
        right = answer_cards(reference, asked, tokenizer) if asked else []
        for name in names(args.methods, random=not asked, qat=args.qat is not None):
            row: dict[str, Any] = {"method": name}
            try:
                row, options = make(name, plain, folder, args.samples, args.qat)
                with nullcontext(reference) if name == REFERENCE else QuantEngine(options) as engine:
                    if asked:
                        mine = right if name == REFERENCE else answer_cards(engine, asked, tokenizer)
                        row |= quality(asked, mine, right)
                    # NF4 is bfloat16 again, and another adapter costs what the first does: nothing new to time.
                    if row["weights_mib"] is not None and not name.endswith(QAT):
                        row |= timed(args.rounds, engine, reference, prompts, longest)
            except (RuntimeError, subprocess.CalledProcessError) as error:
                # This processor may lack what a variant needs. One that fails does not take the others' figures along.
                row["failed"] = str(error)
            rows.append(row)
            print(json.dumps(row), file=sys.stderr, flush=True)
    for row in rows:
        weights = row.get("weights_mib")
        row["weights_ratio"] = None if weights is None else round(weights / rows[0]["weights_mib"], 3)
    return rows


if __name__ == "__main__":
    sys.exit(main())

"""How many answers of an adapter are whole, valid JSON of its schema: asked exactly as the front asks, OCR lines in.

    python -m benchmarks.cards.valid_json --server http://127.0.0.1:8000 --model cni-object --count 800

Real OCR lines of drawn cards, of all recorded files in turn. An answer that is cut, broken or not of the form counts as
invalid; its text is not kept. The last line is one JSON document.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path

import httpx

from adapters import machine
from benchmarks.cards.tell_apart import cards
from ocr_frontend.documents.registry import builtin
from ocr_frontend.errors import FrontError
from ocr_frontend.extraction.knowledge import KnownModels
from ocr_frontend.extraction.llm_step import LlmStep
from ocr_frontend.llm.catalog import Catalog
from ocr_frontend.llm.client import ModelServer
from ocr_frontend.ocr.textline import TextLine
from ocr_frontend.settings import load_settings

_SECONDS = 300.0
_TABLE = Path("docs/results/valid_json.json")


def main() -> int:
    """Run it; 1 when an answer was not valid."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cards.valid_json",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--server", default="http://127.0.0.1:8000", help="the model server (default: %(default)s)")
    parser.add_argument("--model", default="cni-object", help="alias or exact revision (default: %(default)s)")
    parser.add_argument("--count", type=int, default=800, help="cards (default: %(default)s)")
    parser.add_argument("--at-once", type=int, default=16, help="requests (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=_TABLE, help="file for the JSON document (default: %(default)s)")
    args = parser.parse_args()
    result = asyncio.run(_ask(args)) | {"machine": machine.describe()}
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))
    return int(result["valid"] != result["answers"])


async def _ask(args: argparse.Namespace) -> dict[str, object]:
    settings, documents = load_settings(), builtin()
    outcomes: Counter[str] = Counter()
    revisions: set[str] = set()
    turns = asyncio.Semaphore(args.at_once)
    async with httpx.AsyncClient(base_url=args.server, timeout=_SECONDS, trust_env=False) as http:
        server = ModelServer(http, _SECONDS)
        catalog, models = Catalog(server, _SECONDS), KnownModels(documents)
        step = LlmStep(server, catalog, models, settings.max_lines, settings.max_tokens)
        card = await catalog.find(args.model)

        async def one(document: str, lines: list[TextLine]) -> None:
            spec = documents.find(document)
            assert spec is not None
            async with turns:
                try:
                    answer = await step.ask(card, spec, lines)
                    outcomes["valid"] += 1
                    revisions.add(answer.completion.model)
                except FrontError as error:
                    outcomes[error.code] += 1
            done = sum(outcomes.values())
            if done % 20 == 0:
                print(f"\r{done}/{args.count} answers", end="", file=sys.stderr)

        begun = time.perf_counter()
        await asyncio.gather(*(one(document, lines) for document, lines in cards(args.count)))
    print(file=sys.stderr)
    return {
        "benchmark": "valid_json",
        "model": sorted(revisions),
        "answers": args.count,
        "valid": outcomes["valid"],
        "others": {code: count for code, count in sorted(outcomes.items()) if code != "valid"},
        "seconds": round(time.perf_counter() - begun, 1),
    }


if __name__ == "__main__":
    sys.exit(main())

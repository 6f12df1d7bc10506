"""`python -m adapters detect`: whether `document=auto` names every card's document and refuses everything else."""

import argparse
import asyncio
import io
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import httpx

from adapters.data.cards import PLAIN, write_cards
from adapters.data.distractors import KINDS, draw_other
from adapters.errors import EvaluationError
from adapters.evaluation.kept_scores import SEED
from adapters.evaluation.patience import error_code, patiently
from adapters.evaluation.progress import counted
from adapters.evaluation.run import read_truths
from adapters.markdown import markdown_table
from adapters.provenance import stamp

_REFUSED = {"document_not_recognised", "no_text_found"}
_NONE = "refused"
Picture = tuple[str, str, Callable[[], bytes]]  # what is to be answered, its group, its bytes


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "detect",
        help="measure document=auto on the held-out cards and on pictures that are none",
        description="Send every held-out card and drawn receipts, passports, licences, forms, text pages, noise and "
        "blank pages with document=auto. Writes detection.json and detection.md. 800 cards and 200 others take about "
        "fifteen minutes on two cores.",
    )
    parser.add_argument("--front", default="http://127.0.0.1:8080", help="the OCR front (default: %(default)s)")
    parser.add_argument("--model", default="cni", help="asked once a card is recognised (default: %(default)s)")
    parser.add_argument("--count", type=int, default=400, help="cards of the held-out set (default: %(default)s)")
    parser.add_argument("--others", type=int, default=20, help="pictures a kind of non-card (default: %(default)s)")
    parser.add_argument("--cards", type=Path, default=Path("runs/held-out"), help="(default: %(default)s)")
    parser.add_argument("--concurrency", type=int, default=2, help="pictures at a time (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder (default: %(default)s)")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    before = stamp()
    if not (args.cards / "cards.jsonl").exists():
        write_cards(args.cards, args.count, seed=SEED, split="test", conditions=PLAIN)
    pictures = [*_cards(args.cards, args.count), *_others(args.others)]
    answers = asyncio.run(_ask(args.front, args.model, pictures, args.concurrency))
    rows = _rows(pictures, answers)
    args.out.mkdir(parents=True, exist_ok=True)
    body = {"seed": SEED, **before, "rows": rows}
    (args.out / "detection.json").write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (args.out / "detection.md").write_text(_table(rows), encoding="utf-8")
    print(_table(rows))
    return 0


def _cards(folder: Path, count: int) -> list[Picture]:
    truths = read_truths(folder)[:count]
    return [(t.document, f"{t.document} {t.condition}", t.image.read_bytes) for t in truths]


def _others(count: int) -> list[Picture]:
    def encoded(kind: str, index: int) -> bytes:
        out = io.BytesIO()
        draw_other(kind, SEED, index).save(out, "JPEG", quality=90)
        return out.getvalue()

    return [(_NONE, kind, partial(encoded, kind, index)) for kind in KINDS for index in range(count)]


async def _ask(front: str, model: str, pictures: Sequence[Picture], concurrency: int) -> list[str]:
    gate = asyncio.Semaphore(concurrency)
    with counted("asking with document=auto", len(pictures)) as done:
        async with httpx.AsyncClient(base_url=front, timeout=300) as client:

            async def one(picture: Picture) -> str:
                async with gate:
                    answer = await _answered(client, model, picture[2]())
                done()
                return answer

            return list(await asyncio.gather(*(one(picture) for picture in pictures)))


async def _answered(client: httpx.AsyncClient, model: str, image: bytes) -> str:
    """The document that the front saw, or that it refused."""
    files = {"image": ("picture", image, "application/octet-stream")}
    form = {"document": "auto", "model": model}
    try:
        response = await patiently(lambda: client.post("/v1/extract", files=files, data=form))
    except httpx.HTTPError as error:
        raise EvaluationError(
            f"The OCR front at {client.base_url} does not answer ({type(error).__name__}): start it with make up."
        ) from error
    if response.status_code == httpx.codes.OK:
        return str(response.json()["document"])
    code = error_code(response)
    if code in _REFUSED:
        return _NONE
    raise EvaluationError(f"The OCR front refused a picture with {response.status_code} {code}.")


def _rows(pictures: Sequence[Picture], answers: Sequence[str]) -> list[dict[str, object]]:
    """One row a group, then cards by condition and all others together."""
    outcomes: dict[str, list[tuple[str, str]]] = {}
    for (expected, group, _), answer in zip(pictures, answers, strict=True):
        whole = "all that is no card" if expected == _NONE else f"all cards {group.rsplit(' ', 1)[1]}"
        for name in (group, whole):
            outcomes.setdefault(name, []).append((expected, answer))
    order = sorted(outcomes, key=lambda name: (name.startswith("all"), name not in KINDS, name))
    return [
        {
            "pictures_of": name,
            "pictures": len(outcomes[name]),
            "right": sum(expected == answer for expected, answer in outcomes[name]) / len(outcomes[name]),
            "refused": sum(answer == _NONE for _, answer in outcomes[name]) / len(outcomes[name]),
        }
        for name in order
    ]


def _table(rows: Sequence[dict[str, object]]) -> str:
    heads = ("pictures of", "pictures", "answered right", "refused")
    cells = [(r["pictures_of"], r["pictures"], f"{r['right']:.1%}", f"{r['refused']:.1%}") for r in rows]
    return markdown_table(heads, cells) + "\n"

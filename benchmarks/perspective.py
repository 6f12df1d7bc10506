"""Reading a card photographed from the side, with and without making it flat first.

    python -m benchmarks.perspective --cards runs/validation --degrees 0 6

Ordinary photos, and clean cards laid on a table in strong perspective, are read once for each setting of
OCR_FRONT_PERSPECTIVE. Counted are the true values that stand in the text exactly, the lines that follow each other as
on the clean card, and what the rules of `benchmarks.rules` make of text and boxes.
"""

import argparse
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from adapters import machine
from adapters.data.cards import PLAIN, write_cards
from adapters.data.documents import fields_of
from adapters.evaluation.run import Truth, read_truths
from adapters.evaluation.scores import readable, written
from benchmarks.rules import Line, extract

SEED = 20261125
_LEAST, _MOST = 0.10, 0.18  # of a side, by which each of its corners moves inwards
Point = tuple[float, float]
Record = Mapping[str, Any]


def main() -> int:
    """Run it; the last line is JSON."""
    args = _parser().parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cards = args.cards or Path(folder) / "cards"
        if not (cards / "cards.jsonl").exists():
            write_cards(cards, 2 * args.count, seed=SEED, split="valid", conditions=PLAIN)
        truths = read_truths(cards)
        photos = [truth for truth in truths if truth.condition == "photo"][: args.count]
        clean = [truth for truth in truths if truth.condition == "clean"][: args.strong]
        aslant = [_draw(Path(folder), truth) for truth in clean]
        order = {record["file"]: record for record in _read(clean, args.threads, 0)} if clean else {}
        sets = {name: some for name, some in (("photos", photos), ("strong", aslant)) if some}
        rows = []
        for degrees in args.degrees:
            for name, some in sets.items():
                print(f"{name} at {degrees} degrees", file=sys.stderr)
                records = _read(some, args.threads, degrees)
                rows.append({"degrees": degrees, "cards": name, **_summary(some, records, order)})
                print(rows[-1], file=sys.stderr)
    result = {"benchmark": "perspective", "seed": SEED, "threads": args.threads, "rows": rows}
    print(json.dumps(result | {"machine": machine.describe()}))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.perspective", description=__doc__)
    parser.add_argument("--count", type=int, default=80, help="ordinary photos (default: %(default)s)")
    parser.add_argument("--strong", type=int, default=40, help="cards in strong perspective (default: %(default)s)")
    parser.add_argument("--degrees", type=float, nargs="+", default=[0.0, 6.0], help="settings; 0 is never")
    parser.add_argument("--threads", type=int, default=1, help="of the OCR (default: %(default)s)")
    parser.add_argument("--cards", type=Path, help="cards drawn before, by python -m adapters cards")
    return parser


def _draw(folder: Path, truth: Truth) -> Truth:
    """The card on a table, one of its sides farther away, and turned by some degrees."""
    rng = random.Random(f"{SEED}:{truth.image.name}")
    card = Image.open(truth.image).convert("RGBA")
    wide, high = card.size
    corners = [(0.0, 0.0), (float(wide), 0.0), (float(wide), float(high)), (0.0, float(high))]
    far = rng.randrange(4)
    one, two, three, four = (corners[(far + i) % 4] for i in range(4))
    shrink, lean = [rng.uniform(_LEAST, _MOST) for _ in range(2)], rng.uniform(0.05, 0.2)
    seen = [_between(_between(one, two, shrink[0]), four, lean), _between(_between(two, one, shrink[1]), three, lean)]
    placed = {far: seen[0], (far + 1) % 4: seen[1], (far + 2) % 4: three, (far + 3) % 4: four}
    angle = math.radians(max(-12.0, min(12.0, rng.gauss(0, 5))))
    turned = [
        (x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle))
        for x, y in (placed[i] for i in range(4))
    ]
    left, top = min(x for x, _ in turned) - 0.08 * wide, min(y for _, y in turned) - 0.08 * high
    moved = [(x - left, y - top) for x, y in turned]
    size = round(max(x for x, _ in moved) + 0.08 * wide), round(max(y for _, y in moved) + 0.08 * high)
    warped = card.transform(size, Image.Transform.PERSPECTIVE, _homography(moved, corners), Image.Resampling.BICUBIC)
    scene = _table(rng, size)
    scene.paste(warped, mask=warped.getchannel("A"))
    file = folder / f"{truth.image.stem}.jpg"
    scene.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.8))).save(file, quality=rng.randrange(60, 93))
    return Truth(file, truth.document, "strong", truth.values)


def _between(start: Point, end: Point, share: float) -> Point:
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def _homography(source: Sequence[Point], target: Sequence[Point]) -> list[float]:
    """The eight numbers with which Pillow looks up, for a point of the result, the card's."""
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(number) for number in np.linalg.solve(np.array(rows), np.array(values))]


def _table(rng: random.Random, size: tuple[int, int]) -> Image.Image:
    """One colour, plain or with stripes or blotches."""
    noise = np.random.default_rng(rng.getrandbits(32))
    colour = np.array([rng.uniform(20, 170) for _ in range(3)])
    cells = rng.choice(((1, 1), (3, 40), (40, 3), (12, 12), (30, 30)))
    coarse = Image.fromarray((noise.random(cells) * 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    light = (np.asarray(coarse, dtype=np.float64) - 128) * 0.15 + noise.normal(0, 3, (size[1], size[0]))
    return Image.fromarray((colour + light[:, :, None]).clip(0, 255).astype(np.uint8))


def _read(truths: Sequence[Truth], threads: int, degrees: float) -> list[dict[str, Any]]:
    """One record a card, as `python -m ocr_frontend lines` writes them; the first cards warm up and come twice."""
    files = [str(truth.image) for truth in truths]
    command = [sys.executable, "-m", "ocr_frontend", "lines", *files[:2], *files, "--threads", str(threads)]
    named = {"OCR_FRONT_PERSPECTIVE": str(degrees)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **named})
    return [json.loads(line) for line in done.stdout.splitlines()][2:]


def _summary(truths: Sequence[Truth], records: Sequence[Record], clean: Mapping[str, Record]) -> dict[str, float]:
    held: list[bool] = []
    right: list[bool] = []
    order: list[bool] = []
    for truth, record in zip(truths, records, strict=True):
        lines = [line["text"] for line in record["lines"]]
        found = extract(
            truth.document, [Line(line["text"], tuple(map(tuple, line["box"]))) for line in record["lines"]]
        )
        for key, kind in fields_of(truth.document).items():
            right.append(found.get(key) == truth.values[key])
            if (value := truth.values[key]) is not None:
                held.append(readable(kind, str(written(kind, value)), lines))
        if truth.condition == "strong":
            order += _kept(clean[f"{truth.image.stem}.png"], lines)
    seconds = [record["seconds"] for record in records]
    return {
        "count": len(records),
        "values": len(held),
        "values_read": round(statistics.fmean(held), 4),
        "rules_right": round(statistics.fmean(right), 4),
        **({"order_kept": round(statistics.fmean(order), 4)} if order else {}),
        **{f"{clock}_p50_ms": round(1000 * statistics.median(s[clock] for s in seconds), 1) for clock in seconds[0]},
    }


def _kept(clean: Record, lines: Sequence[str]) -> list[bool]:
    """For lines that follow each other on the clean card and were read here as well: whether they do so here."""
    places = {line: place for place, line in enumerate(lines)}
    texts = [line["text"] for line in clean["lines"] if line["text"] in places]
    return [places[two] == places[one] + 1 for one, two in pairwise(texts)]


if __name__ == "__main__":
    sys.exit(main())

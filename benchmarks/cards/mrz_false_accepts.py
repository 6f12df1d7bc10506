"""How often a damaged machine-readable zone is taken for a whole one, and how many good ones are taken at all.

    python -m benchmarks.cards.mrz_false_accepts
    git show 01cc50f:ocr_frontend/documents/mrz.py > before.py
    python -m benchmarks.cards.mrz_false_accepts --before before.py

Zones of made-up people, 2025 cards, identity cards and passports of any state, are damaged in eight ways
(`benchmarks.cards.mrz_damage`), as often each. The page also prints the 2025 card's NIC number, or the passport's
number, as documents do: three of a hundred not read, three misread. Another state's card has its number on the front
and its zone on the back, so it is counted twice: the back alone, and both sides on one page. Counted are zones that
hold with a wrong number, optional data, birth or expiry, and apart from them a wrong sex, which no check digit covers.
Whole zones and lightly damaged ones ought to hold. `--before` reads the 2025 cards with the module that came before.
One process, no pictures, no model.
"""

import argparse
import importlib.util
import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from adapters.provenance import stamp
from benchmarks.cards.mrz_damage import (
    DAMAGES,
    LOOK_ALIKE,
    SEED,
    Lines,
    Printed,
    both_sides,
    cameroonian,
    identity_card,
    light,
    passport,
)
from benchmarks.harness.frame import RESULTS
from benchmarks.harness.record import record
from ocr_frontend.documents.machine_readable import ANYTHING, Expected, find_machine_readable
from ocr_frontend.ocr.textline import TextLine

TODAY = date(2026, 6, 1)
CMR = Expected(("TD1",), ("CMR",), "n" * 9, "aa" + "n" * 8)
Said = tuple[Any, ...]
Reader = Callable[[Sequence[TextLine]], Said | None]
_NOT_READ = 0.03  # of the pages, on which the printed number is not read, and as many on which it is misread


def main() -> int:
    """Run it; the last line is JSON."""
    args, before = _parser().parse_args(), stamp()
    readers: dict[str, tuple[Callable[[random.Random], Printed], Reader]] = {
        "card": (cameroonian, lambda lines: _said(lines, CMR)),
        "card of any state": (identity_card, lambda lines: _said(lines, ANYTHING)),
        "card of any state, both sides": (both_sides, lambda lines: _said(lines, ANYTHING)),
        "passport of any state": (passport, lambda lines: _said(lines, ANYTHING)),
    }
    if args.before:
        readers["card, before"] = cameroonian, _before(args.before)
    rows = {}
    for name, (make, read) in readers.items():
        damaged = {
            kind: _count(make, read, damage, args.zones // len(DAMAGES), kind) for kind, damage in DAMAGES.items()
        }
        total = sum((Counter(counts) for counts in damaged.values()), Counter[str]())
        whole = _count(make, read, lambda rng, lines: lines, args.good, "whole")
        lightly = _count(make, read, light, args.good, "light")
        per_10_000 = round(10_000 * total["wrong"] / total["zones"], 2)
        rows[name] = {
            "damaged": damaged, "all damaged": dict(total), "wrong in 10,000": per_10_000,
            "whole": whole, "lightly damaged": lightly,
        }  # fmt: skip
        print(f"{name}: {dict(total)}, {per_10_000} wrong in 10,000; whole {whole}; light {lightly}")
    record("mrz_false_accepts", args.out, {"benchmark": "mrz_false_accepts", "seed": SEED, "rows": rows, **before})
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cards.mrz_false_accepts", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the JSON (default: %(default)s)")
    parser.add_argument("--zones", type=int, default=240_000, help="damaged ones of each sort (default: %(default)s)")
    parser.add_argument(
        "--good", type=int, default=10_000, help="whole and lightly damaged ones (default: %(default)s)"
    )
    parser.add_argument("--before", type=Path, help="the module that came before, to be measured too")
    return parser


def _count(
    make: Callable[[random.Random], Printed],
    read: Reader,
    damage: Callable[[random.Random, Lines], Lines],
    zones: int,
    kind: str,
) -> dict[str, int]:
    """Zones, those that hold, those of them that are wrong, and what was wrong in them."""
    rng = random.Random(f"{SEED}:{kind}")
    counts = Counter(zones=zones, held=0, wrong=0)
    for _ in range(zones):
        printed = make(rng)
        said = read(page(rng, printed, damage(rng, list(printed.lines))))
        if said is None:
            continue
        counts["held"] += 1
        wrong = wrong_fields(printed, said)
        counts["wrong"] += any(name != "sex" for name in wrong)
        counts.update(wrong)
    return dict(counts)


def wrong_fields(printed: Printed, said: Said) -> list[str]:
    """`said`: number, optional data, birth, expiry, sex; a sex that is not told is not wrong."""
    true = printed.number, printed.optional, printed.birth, printed.expiry, printed.sex
    names = "number", "optional data", "birth", "expiry", "sex"
    told = (f"{value:%y%m%d}" if isinstance(value, date) else value for value in said)
    pairs = zip(names, true, told, strict=True)
    return [name for name, right, value in pairs if right != value and not (name == "sex" and value is None)]


def page(rng: random.Random, printed: Printed, zone: Lines) -> list[TextLine]:
    """The zone's lines, and above them what the same page prints of them, too, mostly read well."""
    texts = ["SPECIMEN"]
    for text in printed.beside:
        if text and rng.random() >= _NOT_READ:
            at, misread = rng.randrange(len(text)), rng.random() < _NOT_READ
            texts.append(text[:at] + rng.choice(LOOK_ALIKE[text[at]]) + text[at + 1 :] if misread else text)
    return [
        TextLine(text, 0.9, ((0, 20 * row), (300, 20 * row), (300, 20 * row + 14), (0, 20 * row + 14)))
        for row, text in enumerate([*texts, *zone])
    ]


def _said(lines: Sequence[TextLine], expected: Expected) -> Said | None:
    zone = find_machine_readable(lines, expected, TODAY)
    if zone is None or not zone.holds:
        return None
    return zone.document_number, zone.optional_data, zone.birth_date, zone.expiry_date, zone.sex


def _before(path: Path) -> Reader:
    """What `find_zone` of commit 01cc50f says."""
    spec = importlib.util.spec_from_file_location("mrz_before", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is no Python module.")
    module = importlib.util.module_from_spec(spec)
    sys.modules["mrz_before"] = module
    spec.loader.exec_module(module)

    def read(lines: Sequence[TextLine]) -> Said | None:
        zone = module.find_zone(lines, TODAY)
        if zone is None or not zone.holds:
            return None
        return zone.card_number, zone.nic, zone.birth, zone.expiry, zone.sex

    return read


if __name__ == "__main__":
    raise SystemExit(main())

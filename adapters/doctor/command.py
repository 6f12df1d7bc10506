"""`python -m adapters doctor [RECIPE.yaml] [--json]`."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from adapters.doctor.advice import advice, methods
from adapters.doctor.bandwidth import read_bandwidth
from adapters.doctor.facts import Facts, look
from adapters.doctor.recipe_check import Check, checks
from adapters.settings import Settings

_GIB = 1 << 30


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="what this machine can do, and what to do with it",
        description="Measure this machine and say which base, which bits and how many adapters suit it. With a recipe: "
        "whether its packages, base and data are here and would fit into the memory; the exit code is 1 where not.",
    )
    parser.add_argument("recipe", type=Path, nargs="?", metavar="RECIPE.yaml", help="what is to be trained")
    parser.add_argument("--data", type=Path, help="where the recipe's labelled examples lie (default: beside it)")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    facts = look()
    bandwidth = read_bandwidth(facts.cores)
    found = checks(args.recipe, args.data, Settings(), facts.versions) if args.recipe else ()
    print(json.dumps(report(facts, bandwidth, found)) if args.json else text(facts, bandwidth, found))
    return 0 if all(check.good for check in found) else 1


def report(facts: Facts, bandwidth: float, found: Sequence[Check] = ()) -> dict[str, Any]:
    """Everything, for programs; memory in bytes, bandwidth in bytes a second. `found`: of a recipe."""
    return {
        **asdict(facts),
        "bandwidth": round(bandwidth),
        "methods": [asdict(method) for method in methods(facts)],
        "advice": list(advice(facts, bandwidth)),
        "recipe": [asdict(check) for check in found],
    }


def text(facts: Facts, bandwidth: float, found: Sequence[Check] = ()) -> str:
    """The same for people."""
    gpus = [
        f"{gpu.name}, {gpu.memory / _GIB:.0f} GiB, capability {gpu.capability[0]}.{gpu.capability[1]}"
        for gpu in facts.gpus
    ]
    rows = [
        ("processor", facts.processor),
        ("cores", str(facts.cores)),
        ("instructions", ", ".join(facts.instructions) or "none that matter here"),
        ("memory", f"{facts.available / _GIB:.1f} GiB free here, of the machine's {facts.memory / _GIB:.1f}"),
        ("bandwidth", f"{bandwidth / 1e9:.1f} GB/s, measured on all cores"),
        ("GPU", "; ".join(gpus) or "none"),
        ("packages", ", ".join(f"{name} {found}" for name, found in facts.versions.items())),
    ]
    lines = [f"{name:<13}{value}" for name, value in rows]
    lines += ["", *(f"{'yes' if m.usable else 'no':<4}{m.name}: {m.why}" for m in methods(facts))]
    lines += ["", *advice(facts, bandwidth)]
    lines += (
        ["", *(f"{'yes' if check.good else 'no':<4}{check.what}: {check.said}" for check in found)] if found else []
    )
    return "\n".join(lines)

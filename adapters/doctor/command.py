"""`python -m adapters doctor [--json]`."""

import argparse
import json
from dataclasses import asdict
from typing import Any

from adapters.doctor.advice import advice, methods
from adapters.doctor.bandwidth import read_bandwidth
from adapters.doctor.facts import Facts, look

_GIB = 1 << 30


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="what this machine can do, and what to do with it",
        description="Measure this machine and say which base, which bits and how many adapters suit it.",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    facts = look()
    bandwidth = read_bandwidth(facts.cores)
    print(json.dumps(report(facts, bandwidth)) if args.json else text(facts, bandwidth))
    return 0


def report(facts: Facts, bandwidth: float) -> dict[str, Any]:
    """Everything, for programs; memory in bytes, bandwidth in bytes a second."""
    return {
        **asdict(facts),
        "bandwidth": round(bandwidth),
        "methods": [asdict(method) for method in methods(facts)],
        "advice": list(advice(facts, bandwidth)),
    }


def text(facts: Facts, bandwidth: float) -> str:
    """The same for people."""
    gpus = [
        f"{gpu.name}, {gpu.memory / _GIB:.0f} GiB, capability {gpu.capability[0]}.{gpu.capability[1]}"
        for gpu in facts.gpus
    ]
    rows = [
        ("processor", facts.processor),
        ("cores", str(facts.cores)),
        ("instructions", ", ".join(facts.instructions) or "none that matter here"),
        ("memory", f"{facts.memory / _GIB:.1f} GiB, {facts.available / _GIB:.1f} GiB free"),
        ("bandwidth", f"{bandwidth / 1e9:.1f} GB/s, measured on all cores"),
        ("GPU", "; ".join(gpus) or "none"),
        ("packages", ", ".join(f"{name} {found}" for name, found in facts.versions.items())),
    ]
    lines = [f"{name:<13}{value}" for name, value in rows]
    lines += ["", *(f"{'yes' if m.usable else 'no':<4}{m.name}: {m.why}" for m in methods(facts))]
    lines += ["", *advice(facts, bandwidth)]
    return "\n".join(lines)

"""`python -m deploy.capacity`: compute, and write the tables between the marks of docs/reference/capacity.md."""

import sys
from collections.abc import Callable
from pathlib import Path

from deploy.capacity.inputs import Inputs, read_inputs
from deploy.capacity.model import RATES, Fleet, on_cpu, on_gpu
from deploy.up.usage import take_none

BEGIN, END = "<!-- computed: python -m deploy.capacity -->", "<!-- end of what is computed -->"


def main() -> int:
    """0; the document is rewritten in place."""
    take_none(
        "deploy.capacity",
        "",
        "Compute the tables of docs/reference/capacity.md from benchmarks/results.",
        {},
        sys.argv[1:],
    )
    root = Path(__file__).resolve().parents[2]
    document = root / "docs/reference/capacity.md"
    document.write_text(filled(document.read_text("utf-8"), tables(read_inputs(root / "benchmarks/results"))), "utf-8")
    print(f"{document.relative_to(root)} is up to date")
    return 0


def filled(text: str, new: str) -> str:
    """`text` with `new` between the marks. Raises ValueError without them."""
    before, after = text.index(BEGIN) + len(BEGIN), text.index(END)
    return f"{text[:before]}\n{new}\n{text[after:]}"


def tables(inputs: Inputs) -> str:
    """Inputs and fleets, as Markdown."""
    given = [f"| {one.what} | {one.value:.3g} {one.unit} | {one.kind} | {one.source} |" for one in inputs.all()]
    head = ["| input, for a card | value | | source |", "|---|---|---|---|"]
    return "\n".join([*head, *given, "", *_fleets("CPU", on_cpu, inputs), "", *_fleets("GPU", on_gpu, inputs)])


def _fleets(title: str, model: Callable[[Inputs, int], Fleet], inputs: Inputs) -> list[str]:
    head = [
        f"| cards a minute, {title} | fronts | servers | cores | GPUs | memory | |",
        "|---|---|---|---|---|---|---|",
    ]
    return [*head, *(_row(model(inputs, rate)) for rate in RATES)]


def _row(fleet: Fleet) -> str:
    numbers = (fleet.rate, fleet.fronts, fleet.servers, fleet.cores, fleet.gpus)
    return f"| {' | '.join(f'{number:,}' for number in numbers)} | {fleet.memory_gb:,.0f} GB | computed |"


if __name__ == "__main__":
    sys.exit(main())

"""`python -m deploy.capacity`: compute, and write the tables between the marks of docs/reference/capacity*.md."""

import sys
from collections.abc import Callable
from pathlib import Path

from deploy.capacity.inputs import Input, Inputs, read_inputs
from deploy.capacity.language import LANGUAGES, Language
from deploy.capacity.model import FRONT_CORES, RATES, Fleet, on_cpu, on_gpu
from deploy.up.usage import take_none

BEGIN, END = "<!-- computed: python -m deploy.capacity -->", "<!-- end of what is computed -->"


def main() -> int:
    """0; the pages are rewritten in place."""
    take_none(
        "deploy.capacity",
        "",
        "Compute the tables of docs/reference/capacity.md and capacity.fr.md from benchmarks/results.",
        {},
        sys.argv[1:],
    )
    root = Path(__file__).resolve().parents[2]
    inputs = read_inputs(root / "benchmarks/results")
    for language in LANGUAGES:
        page = root / language.page
        page.write_text(filled(page.read_text("utf-8"), tables(inputs, language)), "utf-8")
        print(f"{language.page} is up to date")
    return 0


def filled(text: str, new: str) -> str:
    """`text` with `new` between the marks. Raises ValueError without them."""
    before, after = text.index(BEGIN) + len(BEGIN), text.index(END)
    return f"{text[:before]}\n{new}\n{text[after:]}"


def tables(inputs: Inputs, language: Language) -> str:
    """Inputs and fleets, as Markdown."""
    say = language.text
    head = [f"| {say('input, for a card')} | {say('value')} | | {say('source')} |", "|---|---|---|---|"]
    given = [_given(one, language) for one in inputs.all()]
    on_cpus = _fleets("cards a minute, CPU", on_cpu, inputs, language)
    on_gpus = _fleets("cards a minute, GPU", on_gpu, inputs, language)
    return "\n".join([*head, *given, "", *on_cpus, "", *on_gpus, "", _told(inputs, language)])


def _told(inputs: Inputs, language: Language) -> str:
    """What the last rows say."""
    cpu, gpu = on_cpu(inputs, RATES[-1]), on_gpu(inputs, RATES[-1])
    ocr, saved = cpu.fronts * FRONT_CORES / cpu.cores, 1 - gpu.cores / cpu.cores
    return language.text(
        "Of the cores of the last rows {} % read pictures; GPUs for the model save {} % of them.",
        f"{100 * ocr:.0f}",
        f"{100 * saved:.0f}",
    )


def _given(one: Input, language: Language) -> str:
    say = language.text
    value = language.quantity(f"{one.value:.3g}", one.unit)
    return f"| {say(one.what)} | {value} | {say(one.kind)} | {say(one.source, *one.numbers)} |"


def _fleets(title: str, model: Callable[[Inputs, int], Fleet], inputs: Inputs, language: Language) -> list[str]:
    heads = (title, "fronts", "servers", "cores", "GPUs", "memory")
    head = [f"| {' | '.join(map(language.text, heads))} | |", "|---|---|---|---|---|---|---|"]
    return [*head, *(_row(model(inputs, rate), language) for rate in RATES)]


def _row(fleet: Fleet, language: Language) -> str:
    numbers = (fleet.rate, fleet.fronts, fleet.servers, fleet.cores, fleet.gpus)
    counts = " | ".join(language.number(f"{number:,}") for number in numbers)
    return f"| {counts} | {language.quantity(f'{fleet.memory_gb:,.0f}', 'GB')} | {language.text('computed')} |"


if __name__ == "__main__":
    sys.exit(main())

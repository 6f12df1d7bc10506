"""The table of `quant_table` for people: JSON, a plot, and the Markdown between two marks in the documents.

`python -m benchmarks.quantization.report` fills the documents from the result file, without measuring.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapters.markdown import markdown_table
from benchmarks.quantization import training as quant_training
from benchmarks.quantization.written import ENGLISH, IN, In

Row = dict[str, Any]
BEGIN, END = "<!-- quant-table -->", "<!-- /quant-table -->"
NAME = "quant_table"
_SHAPES = "osD^vP*Xh<>"

_HEADS = {
    "quantization.md": (
        "method", "fields right", "of bf16's kept", "cards right", "disk, MiB", "weights against bf16", "process, MiB",
        "ms a token, 1 card", "cards/s, 8", "cards/s, 32", "speed against bf16: 1, 8, 32", "made in, s",
    ),
    "quantization.fr.md": (
        "méthode", "champs justes", "gardés de bf16", "cartes justes", "disque, Mio", "poids contre bf16",
        "processus, Mio", "ms par jeton, 1 carte", "cartes/s, 8", "cartes/s, 32", "vitesse contre bf16 : 1, 8, 32",
        "fait en, s",
    ),
}  # fmt: skip
_CAPTIONS = {
    "quantization.md": (
        "Embedded base with `{adapter}`, {cards} held-out cards, timed {rounds} x, {cores} cores ({processor}).",
        "Fields and whole cards right, by document",
        "Shape {shape}, random weights: memory and speed only.",
        "Training on {document}: {samples} samples, {validation} of unseen people, {cores} cores ({processor}).",
    ),
    "quantization.fr.md": (
        "Base embarquée avec `{adapter}`, {cards} cartes réservées, mesuré {rounds} x, {cores} cœurs ({processor}).",
        "Champs et cartes entières justes, par document",
        "Forme {shape}, poids aléatoires : mémoire et vitesse seulement.",
        "Entraînement sur {document} : {samples} exemples, {validation} de gens inconnus, {cores} cœurs ({processor}).",
    ),
}


def write(result: dict[str, Any], results: Path, docs: Path | None) -> None:
    """`quant_table.json` and `.png` into `results`; the tables into both documents of `docs`.

    What training costs is taken from a `train_methods.json` in `results`, where there is one.
    """
    results.mkdir(parents=True, exist_ok=True)
    trained = results / "train_methods.json"
    if trained.is_file():
        result = {**result, "training": json.loads(trained.read_text(encoding="utf-8"))}
    (results / f"{NAME}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    plot(result["embedded"], results / f"{NAME}.png")
    if docs:
        fill(result, docs)


def fill(result: dict[str, Any], docs: Path) -> None:
    """The tables into both documents of `docs`."""
    for name in _HEADS:
        path = docs / name
        path.write_text(filled(path.read_text(encoding="utf-8"), markdown(result, name)), encoding="utf-8")


def main() -> int:
    """0; the documents say what the result file says."""
    argparse.ArgumentParser(prog="python -m benchmarks.quantization.report", description=__doc__).parse_args()
    root = Path(__file__).resolve().parents[2]
    result = json.loads((root / "benchmarks/results" / f"{NAME}.json").read_text(encoding="utf-8"))
    fill(result, root / "docs/explanation")
    return 0


def filled(document: str, table: str) -> str:
    """`document` with `table` between its two marks. Raises ValueError when it has not exactly these."""
    if document.count(BEGIN) != 1 or document.count(END) != 1:
        raise ValueError(f"the document must have {BEGIN} and {END} once each")
    before, rest = document.split(BEGIN)
    return f"{before}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}"


def markdown(result: dict[str, Any], document: str) -> str:
    """The tables with their captions, in the document's language."""
    first, second, third, fourth = _CAPTIONS[document]
    say = IN[document]
    about = {**result, **result["machine"]}
    parts = [first.format(**about), markdown_table(_HEADS[document], [_cells(row, say) for row in result["embedded"]])]
    documents = sorted(result["embedded"][0]["documents"])
    by_document = [
        [row["method"], *(_both(row["documents"][name], say) for name in documents)]
        for row in result["embedded"]
        if "documents" in row
    ]
    parts += [
        f"{second}{say.colon}",
        markdown_table((_HEADS[document][0], *documents), by_document),
        third.format(**about),
    ]
    keep = [index for index in range(len(_HEADS[document])) if index not in {1, 2, 3}]
    cells = [_cells(row, say) for row in result["random"]]
    parts.append(markdown_table([_HEADS[document][i] for i in keep], [[row[i] for i in keep] for row in cells]))
    if trained := result.get("training"):
        parts += [
            fourth.format(**{**trained, **trained["machine"]}),
            markdown_table(*quant_training.table(trained, document)),
        ]
    return "\n\n".join(parts)


def _both(share: Row, say: In) -> str:
    return say.both(share["right"], share.get("cards_right"))


def _cells(row: Row, say: In = ENGLISH) -> list[str]:
    faster = [row.get(f"faster_{streams}") for streams in (1, 8, 32)]
    return [
        row["method"],
        say.percent(row.get("right")),
        say.percent(row.get("kept")),
        say.percent(row.get("cards_right")),
        say.number(row.get("disk_mib"), 0),
        say.percent(row["weights_ratio"], 0),
        say.number(row.get("resident_mib"), 0),
        say.number(row.get("ms_per_token"), 1),
        say.number(row.get("cards_per_s_8"), 1),
        say.number(row.get("cards_per_s_32"), 1),
        f"{say.comma} ".join(say.number(value, 2) for value in faster),
        say.number(row.get("quantization_s"), 0),
    ]


def plot(rows: Sequence[Row], path: Path) -> None:
    """Fields right against the weights' memory, and against cards per second at 32 at once."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.8), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    shown = [row for row in rows if row.get("weights_mib") is not None and "right" in row]
    for number, row in enumerate(shown):
        for panel, key in zip(panels, ("weights_mib", "cards_per_s_32"), strict=True):
            if row.get(key) is not None:
                # Points of equal quality lie on each other: each has a colour and a shape of its own, and a legend.
                panel.plot(row[key], 100 * row["right"], _SHAPES[number % len(_SHAPES)], color=f"C{number}",
                           markersize=9, alpha=0.8)  # fmt: skip
        panels[0].plot([], [], _SHAPES[number % len(_SHAPES)], color=f"C{number}", label=row["method"])
    for panel, label in zip(panels, ("weights, MiB", "cards a second, 32 at once"), strict=True):
        panel.set(xlabel=label)
        panel.grid(alpha=0.25)
        panel.margins(0.1)
    panels[0].set(ylabel="fields right, %")
    figure.legend(loc="outside lower center", ncols=4, fontsize=8)
    figure.suptitle("Held-out cards: quality against memory and against speed", fontsize=10)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    sys.exit(main())

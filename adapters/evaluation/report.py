"""The evaluation for people: a table in Markdown and a plot."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from adapters.markdown import markdown_table

Row = Mapping[str, Any]

_COLUMNS = (
    ("cards", "cards", "{:d}"),
    ("fields_exact", "fields exact", "{:.1%}"),
    ("fields_alone", "without rules", "{:.1%}"),
    ("fields_normalised", "normalised", "{:.1%}"),
    ("fields_ceiling", "OCR ceiling", "{:.1%}"),
    ("exact_of_read", "exact of what the OCR read", "{:.1%}"),
    ("cards_right", "cards right", "{:.1%}"),
    ("cards_alone", "cards without rules", "{:.1%}"),
    ("cards_ceiling", "cards ceiling", "{:.1%}"),
    ("character_error_rate", "CER", "{:.2%}"),
    ("anls", "ANLS*", "{:.3f}"),
    ("invalid_json", "invalid JSON", "{:.1%}"),
    ("refused", "refused", "{:.1%}"),
    ("invented_values", "not in the OCR text", "{:.1%}"),
)


def table(rows: Sequence[Row]) -> str:
    """Markdown: one row a model, document and condition."""
    heads = ["model", "document", "condition", *(head for _, head, _ in _COLUMNS)]
    named = ("model", "document", "condition")
    cells = [
        [*(row[key] for key in named), *(form.format(row[key]) if key in row else "" for key, _, form in _COLUMNS)]
        for row in rows
    ]
    return markdown_table(heads, cells) + "\n"


def plot(rows: Sequence[Row], title: str, path: Path) -> None:
    """Bars: fields and cards exactly right per document and condition, with the OCR's ceiling as a mark."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6.4), layout="constrained")
    panels = figure.subplots(2, 1, sharex=True)
    places = list(dict.fromkeys((row["document"], row["condition"]) for row in rows))
    models = list(dict.fromkeys(row["model"] for row in rows))
    width = 0.8 / len(models)
    colours = ("#1f4e8c", "#c2571a", "#2c7a3f", "#7a4b9a")
    for panel, (score, ceiling, label) in zip(
        panels, (("fields_exact", "fields_ceiling", "fields"), ("cards_right", "cards_ceiling", "cards")), strict=True
    ):
        for number, model in enumerate(models):
            mine = {(row["document"], row["condition"]): row for row in rows if row["model"] == model}
            at = [
                index + (number - (len(models) - 1) / 2) * width for index, place in enumerate(places) if place in mine
            ]
            heights = [100 * mine[place][score] for place in places if place in mine]
            bars = panel.bar(at, heights, width * 0.92, color=colours[number % len(colours)], label=model)
            panel.bar_label(bars, fmt="%.1f", fontsize=7, padding=-11, color="white")
            caps = [100 * mine[place][ceiling] for place in places if place in mine]
            panel.hlines(caps, [x - width / 2 for x in at], [x + width / 2 for x in at], color="black", linewidth=1.4,
                         label="what the OCR read exactly" if number == 0 else None)  # fmt: skip
        panel.set(ylabel=f"{label} exactly right, %", ylim=(0, 108))
        panel.grid(axis="y", alpha=0.25)
    panels[0].set_title(title)
    panels[0].legend(loc="lower left", fontsize=8, ncols=len(models) + 1)
    names = [
        f"{document.replace('-', chr(10))}\n{condition}" for document, condition in places
    ]  # narrow: there are many
    panels[1].set_xticks(range(len(places)), names, fontsize=8)
    figure.savefig(path, dpi=110)

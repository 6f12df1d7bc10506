"""What training on each form of the base costs and gives, from `train_methods.json`, for `quant_table`."""

from __future__ import annotations

from typing import Any

FORMS = ("bf16", "nf4", "int8", "int4")
_HEADS = {
    "quantization.md": (
        "method", "base in training, MB", "process at most, GB", "minutes", "tokens/s",
        *(f"fields, cards right on {form}" for form in FORMS),
    ),
    "quantization.fr.md": (
        "méthode", "base à l'entraînement, Mo", "processus au plus, Go", "minutes", "jetons/s",
        *(f"champs, cartes justes sur {form}" for form in FORMS),
    ),
}  # fmt: skip


def table(trained: dict[str, Any], document: str) -> tuple[tuple[str, ...], list[list[str]]]:
    """Heads and rows: a row a method, with what its adapter gets right on the base in each form."""
    rows = []
    for method, run in trained["runs"].items():
        fields, cards = trained["fields_right_on"][method], trained["cards_right_on"][method]
        rows.append(
            [
                method,
                f"{run['base_weights_bytes'] / 1e6:.0f}",
                f"{run['peak_memory_bytes'] / 1e9:.1f}",
                f"{run['seconds'] / 60:.1f}",
                str(run["tokens_per_second"]),
                *(
                    f"{100 * fields[form]:.1f} %, {100 * cards[form]:.0f} %" if form in fields else "-"
                    for form in FORMS
                ),
            ]
        )
    return _HEADS[document], rows

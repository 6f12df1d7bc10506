"""What training on each form of the base costs and gives, from `train_methods.json`, for `quant_table`."""

from __future__ import annotations

from typing import Any

from benchmarks.quantization.written import IN

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
    say = IN[document]

    def right(form: str, fields: dict[str, float], cards: dict[str, float]) -> str:
        return say.both(fields[form], cards[form]) if form in fields else "-"

    rows = []
    for method, run in trained["runs"].items():
        fields, cards = trained["fields_right_on"][method], trained["cards_right_on"][method]
        rows.append(
            [
                method,
                say.number(run["base_weights_bytes"] / 1e6, 0),
                say.number(run["peak_memory_bytes"] / 1e9, 1),
                say.number(run["seconds"] / 60, 1),
                say.number(run["tokens_per_second"], 0),
                *(right(form, fields, cards) for form in FORMS),
            ]
        )
    return _HEADS[document], rows

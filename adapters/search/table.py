"""A search's outcome: every trial, the winner, and the winner among those no larger than the recipe's own adapter."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapters.markdown import markdown_table
from adapters.registry.base_model import read_base
from adapters.training.recipe import Lora

_HEADS = (
    "trial",
    "fields right",
    "answers right",
    "r",
    "alpha",
    "targets",
    "learning rate",
    "parameters",
    "steps",
    "state",
)


def parameters(base: Path, lora: Lora) -> int:
    """Trained parameters of `lora` on the base in the folder `base`: r x (in + out) for each module it names."""
    shapes = [shape for name, shape in read_base(base).modules.items() if name.rpartition(".")[2] in lora.targets]
    return sum(lora.r * (shape[0] + shape[1]) for shape in shapes if shape)


def rows(study: Any) -> list[dict[str, Any]]:
    """One row a trial that is over, the best first; among equals the smaller adapter."""
    found = []
    for trial in study.trials:
        if "fields" not in trial.user_attrs:
            continue  # killed under way, its proposal came again as another trial; or refused
        found.append({"trial": trial.number, **trial.params, **trial.user_attrs})
    return sorted(found, key=lambda row: (row["pruned"], -row["fields"], row["parameters"]))


def winners(table: Sequence[dict[str, Any]], own_size: int) -> dict[str, Any]:
    """`best` of all and `best_at_size`: the best with at most `own_size` parameters (None: there is none)."""
    finished = [row for row in table if not row["pruned"]]
    return {
        "best": next(iter(finished), None),
        "best_at_size": next((row for row in finished if row["parameters"] <= own_size), None),
        "own_parameters": own_size,
    }


def markdown(trials: Sequence[dict[str, Any]]) -> str:
    """The table for people."""
    return markdown_table(_HEADS, map(_cells, trials)) + "\n"


def _cells(row: dict[str, Any]) -> list[object]:
    return [
        row["trial"],
        f"{row['fields']:.1%}",
        f"{row['exact']:.1%}",
        row["r"],
        row["r"] * row["alpha_over_r"],
        row["targets"].replace(",", ", "),
        f"{row['learning_rate']:.2e}",
        f"{row['parameters']:,}",
        row["steps"],
        "pruned" if row["pruned"] else "finished",
    ]


def plot(table: Sequence[dict[str, Any]], own_size: int, title: str, path: Path) -> None:
    """Fields right against the adapter's size, the learning rate as colour."""
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.6), layout="constrained")
    panel = figure.subplots()
    rates = [row["learning_rate"] for row in table]
    norm = LogNorm(min(rates) / 1.01, max(rates) * 1.01)
    for pruned, marker in ((False, "o"), (True, "x")):
        some = [row for row in table if row["pruned"] is pruned]
        dots = panel.scatter(
            [row["parameters"] for row in some],
            [100 * row["fields"] for row in some],
            c=[row["learning_rate"] for row in some],
            norm=norm,
            cmap="viridis",
            marker=marker,
            label="pruned (at its last look)" if pruned else "finished",
        )
    figure.colorbar(dots, label="learning rate")
    panel.axvline(own_size, color="#888888", linewidth=0.8, linestyle="--", label="the recipe's own size")
    panel.set(xscale="log", xlabel="trained parameters", ylabel="validation fields right, %", title=title)
    panel.grid(alpha=0.25)
    panel.legend(fontsize=8)
    figure.savefig(path, dpi=110)

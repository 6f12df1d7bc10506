"""The picture of a run: training loss, validation loss, fields and answers right."""

from pathlib import Path

from adapters.training.log import Log

_SMOOTH = 25  # steps in the running mean


def plot(log: Log, title: str, path: Path) -> None:
    """Draw the curves of `log` into a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.2), layout="constrained")
    left = figure.subplots()
    steps = range(1, len(log.losses) + 1)
    left.plot(steps, log.losses, color="#b8c4d6", linewidth=0.6, label="training loss, each step")
    left.plot(
        steps, _running_mean(log.losses), color="#1f4e8c", linewidth=1.6, label=f"training loss, mean of {_SMOOTH}"
    )
    seen = [entry["step"] for entry in log.validation]
    left.plot(
        seen, [entry["loss"] for entry in log.validation], "o-", color="#c2571a", markersize=3, label="validation loss"
    )
    left.set(xlabel="step", ylabel="cross entropy of the answer, nats a token", yscale="log", title=title)
    right = left.twinx()
    if all("fields" in entry for entry in log.validation):  # runs before fields were judged have answers alone
        right.plot(
            seen,
            [100 * entry["fields"] for entry in log.validation],
            "^-",
            color="#6a3d9a",
            markersize=3,
            label="fields right",
        )
    right.plot(
        seen,
        [100 * entry["exact"] for entry in log.validation],
        "s--",
        color="#2c7a3f",
        markersize=3,
        label="answers right",
    )
    right.set(ylabel="validation fields and whole answers right, %", ylim=(0, 101))
    handles = [*left.get_legend_handles_labels()[0], *right.get_legend_handles_labels()[0]]
    left.legend(handles=handles, loc="lower left", fontsize=8)
    left.grid(alpha=0.25)
    figure.savefig(path, dpi=110)


def _running_mean(values: list[float]) -> list[float]:
    means = []
    for end in range(1, len(values) + 1):
        window = values[max(0, end - _SMOOTH) : end]
        means.append(sum(window) / len(window))
    return means

"""The reliability plot: confidence against the share that is right, and accuracy against coverage."""

from collections.abc import Iterable, Mapping
from itertools import cycle
from pathlib import Path

import numpy as np

from adapters.evaluation.calibration import Floats, area, bins, calibration_error, kept_right, wrong_among
from adapters.evaluation.summary import Card

_COLOURS = ("#1f4e8c", "#c2571a", "#2c7a3f", "#7a4b9a", "#6b6b6b", "#b08a00", "#c23b6b")  # as many as conditions
Group = tuple[Floats, Floats]  # confidences, and 1 where right


def by_condition(cards: Iterable[Card], conditions: Iterable[str]) -> dict[str, Group]:
    """The fields of each condition's cards that the front gave a confidence."""
    given = [(card.condition, field) for card in cards for field in card.fields if field.confidence is not None]
    groups: dict[str, Group] = {}
    for condition in conditions:
        fields = [field for where, field in given if where == condition]
        groups[condition] = (np.array([f.confidence for f in fields]), np.array([float(f.exact) for f in fields]))
    return groups


def figures(groups: Mapping[str, Group]) -> dict[str, dict[str, float]]:
    """By group: fields, share right, calibration error, share right of the surest 90 % and 80 %, share of fields that
    are wrong among those with a confidence of 0.9 or more, area under accuracy against coverage."""
    return {
        name: {
            "fields": len(right),
            "right": float(right.mean()),
            "calibration_error": calibration_error(sure, right),
            "right_at_90": kept_right(sure, right, 0.9),
            "right_at_80": kept_right(sure, right, 0.8),
            "wrong_at_confidence_90": wrong_among(sure, right, 0.9),
            "area": area(sure, right),
        }
        for name, (sure, right) in groups.items()
        if len(right)
    }


def plot(groups: Mapping[str, Group], title: str, path: Path) -> None:
    """Two panels; the area of a mark is the number of fields in its bin."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.6), layout="constrained")
    trusted, covered = figure.subplots(1, 2)
    trusted.plot([0, 1], [0, 1], color="grey", linewidth=1)
    for colour, (name, (sure, right)) in zip(cycle(_COLOURS), groups.items(), strict=False):
        found = bins(sure, right)
        trusted.scatter(
            [b["confidence"] for b in found], [b["right"] for b in found],
            s=[20 + 300 * b["fields"] / len(right) for b in found], color=colour, alpha=0.6,
            label=f"{name}: calibration error {calibration_error(sure, right):.3f}",
        )  # fmt: skip
        shares = np.linspace(0.5, 1.0, 51)
        covered.plot(100 * shares, [100 * kept_right(sure, right, share) for share in shares], color=colour, label=name)
    trusted.set(xlabel="confidence", ylabel="share exactly right", xlim=(0, 1.02), ylim=(0, 1.05), title=title)
    covered.axhline(99.5, color="grey", linewidth=0.8, linestyle=":")
    covered.axvline(90, color="grey", linewidth=0.8, linestyle=":")
    covered.set(xlabel="coverage: the surest fields kept, %", ylabel="of them exactly right, %")
    for panel in (trusted, covered):
        panel.legend(fontsize=8, loc="lower left" if panel is covered else "upper left")
        panel.grid(alpha=0.25)
    figure.savefig(path, dpi=110)

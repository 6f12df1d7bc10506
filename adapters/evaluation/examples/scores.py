"""How answers to labelled examples are scored.

F1 is the protocol of the ICDAR 2019 challenge on receipts (Huang et al. 2019, arXiv 2103.10213): an answered field is
right where its text is the wanted text; precision over the answered fields, recall over the wanted ones, all examples
and fields together. `letters` compares letters and digits alone: case, accents, blanks and punctuation aside, in which
transcriptions of one page differ. ANLS as in `adapters/evaluation/metrics.py`.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.evaluation.metrics import likeness, normalise
from adapters.markdown import markdown_table

Values = Mapping[str, str | None]


@dataclass(frozen=True)
class Outcome:
    """One example: the values wanted, those answered, and the best that its lines and the answer's form allow.

    invalid: the answer could not be read, or was refused; seconds: from question to answer, end to end.
    """

    wanted: Values
    answered: Values
    best: Values
    invalid: bool = False
    seconds: float | None = None


def table(outcomes: Sequence[Outcome], keys: Sequence[str]) -> list[dict[str, Any]]:
    """One row a field, then one over all of them. Shares from 0 to 1."""
    rows = [{"field": key, **_row(outcomes, [key])} for key in keys]
    return [*rows, {"field": "all", **_row(outcomes, keys), **_whole(outcomes, keys)}]


def _row(outcomes: Sequence[Outcome], keys: Sequence[str]) -> dict[str, Any]:
    fields = [(_folded(o.wanted.get(key)), _folded(o.answered.get(key)), _folded(o.best.get(key)))
              for o in outcomes for key in keys]  # fmt: skip
    wanted = sum(truth is not None for truth, _, _ in fields)
    answered = sum(found is not None for _, found, _ in fields)
    right = sum(truth is not None and found == truth for truth, found, _ in fields)
    alike = sum(truth is not None and _alike(truth, found) for truth, found, _ in fields)
    return {
        "wanted": wanted,
        "f1": _f1(right, answered, wanted),
        "f1_letters": _f1(alike, answered, wanted),
        "exact": _share([found == truth for truth, found, _ in fields]),
        "letters": _share([_alike(truth, found) for truth, found, _ in fields]),
        "anls": statistics.fmean(likeness(truth, found) for truth, found, _ in fields) if fields else 1.0,
        "ceiling": _share([best == truth for truth, _, best in fields]),
        "ceiling_letters": _share([_alike(truth, best) for truth, _, best in fields]),
    }


def _whole(outcomes: Sequence[Outcome], keys: Sequence[str]) -> dict[str, Any]:
    """What is said of whole examples."""
    whole = [all(_folded(o.wanted.get(key)) == _folded(o.answered.get(key)) for key in keys) for o in outcomes]
    seconds = sorted(o.seconds for o in outcomes if o.seconds is not None)
    times = {} if not seconds else {
        "p50_seconds": round(statistics.median(seconds), 3),
        "p95_seconds": round(seconds[min(len(seconds) - 1, int(0.95 * len(seconds)))], 3),
    }  # fmt: skip
    return {"examples_exact": _share(whole), "invalid": _share([o.invalid for o in outcomes]), **times}


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """The table for people, in percent."""
    heads = {"f1": "F1", "f1_letters": "F1, letters", "exact": "exact", "letters": "letters", "anls": "ANLS",
             "ceiling": "ceiling, exact", "ceiling_letters": "ceiling, letters"}  # fmt: skip
    cells = [(row["field"], row["wanted"], *(f"{100 * row[name]:.1f}" for name in heads)) for row in rows]
    return markdown_table(("field", "wanted", *heads.values()), cells) + "\n"


def _alike(truth: str | None, found: str | None) -> bool:
    if truth is None or found is None:
        return truth is found
    return normalise(truth) == normalise(found)


def _f1(right: int, answered: int, wanted: int) -> float:
    return 2 * right / (answered + wanted) if answered + wanted else 1.0


def _folded(value: str | None) -> str | None:
    return (" ".join(value.split()) or None) if value else None


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else 1.0

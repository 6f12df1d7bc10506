"""What an evaluation leaves beside a revision: its table, its plots, and the scores in its manifest."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.data.cards import CONDITIONS
from adapters.errors import EvaluationError
from adapters.evaluation import reliability, report
from adapters.evaluation.summary import Card
from adapters.hub.card import write_card
from adapters.registry.manifest import annotate

SEED = 20261121  # of the held-out cards: scores of other cards are not put beside them
_LAST = {"rules": 1, "base": 2}  # beside the adapter, in this order
_NO_RUN = {"seed", "models", "rows", "beside"}  # keys of the file that say nothing of its run


def make_folder(folder: Path) -> Path:
    """For scores. Raises EvaluationError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EvaluationError(f"{folder} cannot be made ({error.strerror}): name a folder with --out.") from error
    return folder


def keep(folder: Path, rows: list[dict[str, Any]], answered: dict[str, str], about: dict[str, Any]) -> None:
    """Write rows and plot into `folder`, beside those of models measured earlier. `answered`: model to exact name.

    `about`: what the file says of this run; its stamp, and how many cards were read at once. The file's own is that of
    its first model; `beside` holds that of models which another run measured.
    """
    if not folder.is_dir():
        raise EvaluationError(f"{folder} is not there to hold the scores: name a folder with --out.")
    kept = _others(folder / "evaluation.json", set(answered))
    every = sorted(kept.rows + rows, key=lambda row: _LAST.get(row["model"], 0))
    runs = kept.runs | dict.fromkeys(answered, about)
    first = runs[every[0]["model"]]
    body: dict[str, Any] = {"seed": SEED, "models": kept.models | answered, **first, "rows": every}
    if beside := {model: run for model, run in runs.items() if run != first}:
        body["beside"] = beside
    (folder / "evaluation.json").write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "evaluation.md").write_text(report.table(every), encoding="utf-8")
    title = next((name for model, name in body["models"].items() if model not in _LAST), "base")
    report.plot(every, f"{title}: held-out cards, the whole path", folder / "evaluation.png")
    _keep_scores(folder / "manifest.json", [row for row in every if row["model"] == every[0]["model"]])
    if (folder / "manifest.json").exists():
        write_card(folder)


def keep_confidence(folder: Path, cards: list[Card], exact: str, before: dict[str, Any]) -> None:
    """The reliability of the confidences that the front answered, where it answered any. `before`: the run's stamp."""
    groups = reliability.by_condition(cards, CONDITIONS)
    found = reliability.figures(groups)
    if not found:
        return
    reliability.plot(groups, f"{exact}: held-out cards", folder / "confidence.png")
    body = {"model": exact, **before, "conditions": found}
    (folder / "confidence.json").write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found))


@dataclass(frozen=True)
class _Kept:
    """Of models: the exact name, what their run says of itself, and their rows."""

    models: dict[str, str] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)


def _others(path: Path, measured: set[str]) -> _Kept:
    """What an earlier run on the same cards kept of models that this one did not measure."""
    if not path.exists():
        return _Kept()
    before = json.loads(path.read_text(encoding="utf-8"))
    if before["seed"] != SEED:
        return _Kept()
    models = {model: name for model, name in before["models"].items() if model not in measured}
    own = {key: said for key, said in before.items() if key not in _NO_RUN}
    runs = {model: before.get("beside", {}).get(model, own) for model in models}
    return _Kept(models, runs, [row for row in before["rows"] if row["model"] in models])


def _keep_scores(path: Path, rows: list[dict[str, Any]]) -> None:
    """Add the scores to a revision's manifest; they are not part of its content, so its name stays true."""
    if not path.exists():
        return
    kept = ("cards", "fields_exact", "fields_normalised", "exact_of_read", "cards_right")
    scores = {f"{row['document']} {row['condition']}": {key: row[key] for key in kept} for row in rows}
    annotate(path, "scores", scores)

"""What an evaluation leaves beside a revision: its table, its plots, and the scores in its manifest."""

import json
from pathlib import Path
from typing import Any

from adapters.data.cards import CONDITIONS
from adapters.errors import EvaluationError
from adapters.evaluation import reliability, report
from adapters.evaluation.summary import Card
from adapters.hub.card import write_card

SEED = 20261121  # of the held-out cards: scores of other cards are not put beside them
_LAST = {"rules": 1, "base": 2}  # beside the adapter, in this order


def make_folder(folder: Path) -> Path:
    """For scores. Raises EvaluationError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EvaluationError(f"{folder} cannot be made ({error.strerror}): name a folder with --out.") from error
    return folder


def keep(folder: Path, rows: list[dict[str, Any]], answered: dict[str, str], about: dict[str, Any]) -> None:
    """Write rows and plot into `folder`, beside those of models measured earlier. `answered`: model to exact name.

    `about`: what the file says of this run; its stamp, and how many cards were read at once.
    """
    if not folder.is_dir():
        raise EvaluationError(f"{folder} is not there to hold the scores: name a folder with --out.")
    kept_models, kept_rows = _others(folder / "evaluation.json", set(answered))
    body: dict[str, Any] = {
        "seed": SEED,
        "models": kept_models | answered,
        **about,
        "rows": sorted(kept_rows + rows, key=lambda row: _LAST.get(row["model"], 0)),
    }
    (folder / "evaluation.json").write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "evaluation.md").write_text(report.table(body["rows"]), encoding="utf-8")
    title = next((name for model, name in body["models"].items() if model not in _LAST), "base")
    report.plot(body["rows"], f"{title}: held-out cards, the whole path", folder / "evaluation.png")
    _keep_scores(folder / "manifest.json", [row for row in body["rows"] if row["model"] == body["rows"][0]["model"]])
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


def _others(path: Path, measured: set[str]) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """What an earlier run on the same cards kept of models that this one did not measure."""
    if not path.exists():
        return {}, []
    before = json.loads(path.read_text(encoding="utf-8"))
    if before["seed"] != SEED:
        return {}, []
    models = {model: name for model, name in before["models"].items() if model not in measured}
    return models, [row for row in before["rows"] if row["model"] in models]


def _keep_scores(path: Path, rows: list[dict[str, Any]]) -> None:
    """Add the scores to a revision's manifest; they are not part of its content, so its name stays true."""
    if not path.exists():
        return
    manifest = json.loads(path.read_text(encoding="utf-8"))
    kept = ("cards", "fields_exact", "fields_normalised", "exact_of_read", "cards_right")
    manifest["scores"] = {f"{row['document']} {row['condition']}": {key: row[key] for key in kept} for row in rows}
    path.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

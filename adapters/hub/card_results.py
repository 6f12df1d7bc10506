"""What a model card says was measured: held-out cards, or else labelled examples, for people and in its metadata."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.markdown import markdown_table

_CONDITIONS = {"clean": "drawn cards", "photo": "simulated photos", "hard": "hard photos"}
_SCORES = {
    "fields_alone": "fields right to the letter, by the adapter alone",
    "cards_alone": "cards right in every field, by the adapter alone",
    "fields_exact": "fields, with the front's rules",
    "cards_right": "cards, with the front's rules",
}
_F1 = {"f1": "F1", "f1_letters": "F1, letters and digits alone"}


@dataclass(frozen=True)
class Results:
    """`metadata`: the hub's EvalResult, one a score; `text`: the section for people."""

    metadata: tuple[Any, ...]
    text: str


def results(folder: Path, name: str) -> Results:
    """Of the revision in `folder`, which the files beside it call `name`."""
    evaluation = read_json(folder / "evaluation.json")
    if rows := [row for row in evaluation.get("rows", []) if row["model"] == name]:
        return _of_cards([row for row in rows if row["document"] == "all"], evaluation)
    examples = {path.stem: read_json(path) for path in sorted(folder.glob("examples-*.json"))}
    return _of_examples(examples) if examples else Results((), "## Results\n\nNot evaluated.")


def _of_cards(totals: Sequence[dict[str, Any]], evaluation: Mapping[str, Any]) -> Results:
    metadata, cells = [], []
    for row in totals:
        condition = _CONDITIONS.get(row["condition"], row["condition"])
        for key, label in _SCORES.items():
            if key in row:
                metadata.append(_result(f"held-out-cards-{row['condition']}", condition, "accuracy", label, row[key]))
        cells.append((condition, row["cards"], *(f"{row[key]:.1%}" if key in row else "" for key in _SCORES)))
    table = markdown_table(("held-out cards", "cards", *_SCORES.values()), cells)
    said = f"Lines were read by the front's OCR, on {_where(evaluation)}; by document: `evaluation.md`."
    return Results(tuple(metadata), f"## Results\n\n{table}\n\n{said}")


def _of_examples(found: Mapping[str, Mapping[str, Any]]) -> Results:
    """What `evaluate-examples` measured, by protocol; of it all fields together are the metadata."""
    metadata, texts = [], ["## Results"]
    for file, kept in found.items():
        said, rows = f"{kept.get('examples')} examples, {kept.get('protocol')}", kept.get("rows", [])
        for key, label in _F1.items():
            metadata += [_result(file, said, "f1", label, row[key]) for row in rows if row["field"] == "all"]
        cells = [(row["field"], *(f"{row[key]:.1%}" for key in (*_F1, "ceiling"))) for row in rows]
        texts += [f"{said}, on {_where(kept)}:", markdown_table(("field", *_F1.values(), "ceiling"), cells)]
    return Results(tuple(metadata), "\n\n".join(texts))


def _result(kind: str, name: str, metric: str, label: str, value: float) -> Any:
    from huggingface_hub import EvalResult

    return EvalResult(
        task_type="text-generation",
        dataset_type=kind,
        dataset_name=name,
        metric_type=metric,
        metric_name=label,
        metric_value=round(value, 4),
    )


def _where(kept: Mapping[str, Any]) -> str:
    return str(kept.get("machine", {}).get("processor", "an unknown processor"))


def read_json(path: Path) -> dict[str, Any]:
    """An object in a file; an empty one where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found if isinstance(found, dict) else {}

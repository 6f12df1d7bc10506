"""Where the weights of a confidence go: into the revision, or into the front's own file."""

import json
from pathlib import Path
from typing import Any

from adapters.errors import EvaluationError
from adapters.evaluation.calibration import Fitted
from adapters.registry.confidences import carries, carry
from adapters.registry.home import SHIPPED
from adapters.settings import Settings
from ocr_frontend.documents.evidence import VERSION

FRONTS = Path("ocr_frontend/extraction/calibration.json")
_DIGITS = 5


def keep(out: Path | None, registry: Path | None, exact: str, fitted: Fitted, told: dict[str, Any]) -> str:
    """Keep them, and say where and what to do. told: more that the file says of them.

    out: a file that holds several models'; None: the manifest of a revision in the registry, else the front's file,
    which is what a shipped revision takes. Raises EvaluationError where the revision cannot be written.
    """
    root = registry or Settings().registry
    weights = {
        "intercept": round(fitted.intercept, _DIGITS),
        "weights": {name: round(weight, _DIGITS) for name, weight in fitted.weights.items()},
    }
    if out is None and exact not in SHIPPED and carries(root, exact):
        try:
            path = carry(root, exact, {"evidence": VERSION, **weights})
        except (OSError, ValueError) as error:
            raise EvaluationError(f"{exact} cannot be written in {root} ({error}): name a file with --out.") from error
        return f"{path} holds the weights of {exact}: its server tells them, and fronts use them from then on"
    path = out or FRONTS
    _into(path, exact, {**weights, **told})
    return f"{path} holds the weights of {exact}: start the OCR front anew to use them"


def _into(path: Path, exact: str, entry: dict[str, Any]) -> None:
    """Beside those of other models; weights of older evidence are dropped."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        body = {}
    if body.get("evidence") != VERSION:
        body = {"evidence": VERSION, "models": {}}
    body["models"][exact] = entry
    path.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

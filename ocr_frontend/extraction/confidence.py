"""From evidence to a probability that the field is exactly right, by weights that a validation set taught.

The weights belong to one revision and one version of the evidence (docs/decisions/0012). A model that nobody has
calibrated gets no confidence: a number that means nothing would be worse than none.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ocr_frontend.extraction.evidence import VERSION

SHIPPED = Path(__file__).with_name("calibration.json")


class CalibrationError(Exception):
    """One sentence that names the file and what is wrong with it."""


class Weights(BaseModel):
    """Of one model: log-odds are `intercept` + the sum of weight times evidence."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    intercept: float
    weights: dict[str, float]


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")

    evidence: int
    models: dict[str, Weights]


class Calibration:
    """Weights by exact model name."""

    def __init__(self, models: Mapping[str, Weights]) -> None:
        self._models = dict(models)

    def confidence(self, model: str, evidence: Mapping[str, float]) -> float | None:
        """In [0, 1]; None for a model without weights, or where its log-probabilities were not told."""
        weights = self._models.get(model)
        if weights is None or (evidence.get("model_unknown") and "model_unknown" not in weights.weights):
            return None
        odds = weights.intercept + sum(weights.weights.get(name, 0.0) * value for name, value in evidence.items())
        return round(1 / (1 + math.exp(-max(-30.0, min(30.0, odds)))), 4)


def load_calibration(path: Path) -> Calibration:
    """Raises CalibrationError. Weights of another version of the evidence are left out."""
    try:
        file = _File.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise CalibrationError(f"The calibration {path} cannot be read: {error.strerror}.") from None
    except (ValueError, ValidationError):
        raise CalibrationError(f"The calibration {path} is none: write it with python -m adapters calibrate.") from None
    return Calibration(file.models if file.evidence == VERSION else {})

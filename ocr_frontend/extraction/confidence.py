"""From evidence to a probability that the field is exactly right, by weights that a validation set taught.

Weights belong to one revision and one version of the evidence (docs/decisions/0012): those that travel with the
revision count before those of the front's own file. A model that nobody has calibrated gets no confidence.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from ocr_frontend.documents.evidence import RENAMED, SIGNS, VERSION

SHIPPED = Path(__file__).with_name("calibration.json")


class CalibrationError(Exception):
    """One sentence that names the file and what is wrong with it."""


class Weights(BaseModel):
    """Of one model: log-odds are `intercept` + the sum of weight times evidence."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    evidence: int = VERSION
    intercept: float
    weights: dict[str, float]

    @model_validator(mode="before")
    @classmethod
    def _renamed(cls, given: Any) -> Any:
        """Weights of an earlier version by today's names."""
        if not isinstance(given, Mapping) or not isinstance(given.get("weights"), Mapping):
            return given
        names = RENAMED.get(given.get("evidence", VERSION))
        if names is None:
            return given
        weights = {names.get(name, name): weight for name, weight in given["weights"].items()}
        return {**given, "evidence": VERSION, "weights": weights}

    @model_validator(mode="after")
    def _signs(self) -> "Weights":
        wrong = [name for name, weight in self.weights.items() if SIGNS.get(name, 0) * weight < 0]
        if wrong and self.evidence == VERSION:
            raise ValueError(f"weights of the wrong sign: {', '.join(wrong)}")
        return self

    def confidence(self, evidence: Mapping[str, float]) -> float:
        """In [0, 1]."""
        odds = self.intercept + sum(self.weights.get(name, 0.0) * value for name, value in evidence.items())
        return round(1 / (1 + math.exp(-max(-30.0, min(30.0, odds)))), 4)


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")

    models: dict[str, Weights]


class Calibration:
    """Weights by exact model name."""

    def __init__(self, models: Mapping[str, Weights]) -> None:
        self._models = {name: weights for name, weights in models.items() if weights.evidence == VERSION}

    def of(self, model: str, carried: Mapping[str, Any] | None = None) -> Weights | None:
        """Those that the revision carries, else those of the file; None where nobody has calibrated the model."""
        if carried is not None:
            try:
                weights = Weights.model_validate(carried)
            except ValidationError:
                return None
            if weights.evidence == VERSION:
                return weights
        return self._models.get(model)


def load_calibration(path: Path) -> Calibration:
    """Raises CalibrationError. Weights of another version of the evidence are left out."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        version = given.get("evidence", VERSION)
        models = {name: {"evidence": version, **weights} for name, weights in given["models"].items()}
        return Calibration(_File.model_validate({"models": models}).models)
    except OSError as error:
        raise CalibrationError(f"The calibration {path} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, AttributeError, TypeError, ValidationError):
        raise CalibrationError(
            f"{path} is not a calibration file: write one with python -m adapters calibrate."
        ) from None

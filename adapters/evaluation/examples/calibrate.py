"""Confidence of a document of one's own: labelled pictures through the front, their evidence, whether they are right.

A value is right where its letters and digits are the wanted ones: blanks and signs are the transcription's choice.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from adapters.data.given.example import Given
from adapters.errors import DataError
from adapters.evaluation.calibration import Observed
from adapters.evaluation.examples.front import through_front
from adapters.evaluation.metrics import normalise
from adapters.training.given import chosen, held_out
from adapters.training.recipe_data import Source
from adapters.training.recipe_file import read_recipe


def observe(
    front: str,
    model: str | None,
    recipe: Path,
    data: Path | None,
    limits: Sequence[int] | None,
    told: Callable[[], None],
) -> tuple[list[Observed], str, int]:
    """Every answered field with its evidence, the exact model, and the number of examples. Raises AdaptersError.

    limits: first example and the one behind the last, of the recipe's first source; None: those that it holds back.
    """
    read = read_recipe(recipe)
    if read.spec is None:
        raise DataError(f"{recipe} has no document of its own: built-in ones are calibrated without --recipe.")
    where = data or recipe.parent
    source = read.data.examples[0]
    examples = (
        chosen([Source(path=source.path, range=(limits[0], limits[1]))], read.spec, where)
        if limits
        else held_out(read, read.spec, where)
    )
    rows: list[Observed] = []
    exact = model or read.name
    for number, example in enumerate(examples):
        exact = _one(front, read.spec.name, model or read.name, number, example, rows) or exact
        told()
    return rows, exact, len(examples)


def _one(front: str, document: str, model: str, number: int, example: Given, rows: list[Observed]) -> str | None:
    """Add the example's fields; the model that answered, None where the front refused the picture."""
    if example.picture is None:
        raise DataError(f"The example {example.name} has no picture: confidence is learnt from what the front reads.")
    seen = through_front(front, document, model, example.picture)
    for key, evidence in seen.evidence.items():
        wanted, found = example.fields.get(key), seen.values.get(key)
        right = (wanted is None) == (found is None) and normalise(wanted or "") == normalise(found or "")
        rows.append(Observed(number, evidence, right))
    return None if seen.refused else seen.model

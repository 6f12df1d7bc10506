"""The search itself, on optuna: TPE proposes, a median pruner stops what falls behind, a journal file remembers."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adapters.errors import AdaptersError
from adapters.search.space import Space, suggest
from adapters.training.recipe import Recipe

REFUSED = "refused"  # a trial's attribute: why its point cannot be trained
_STARTUP = 5  # trials that are drawn at random, and never pruned

# A point, and what to call after each look (step, share of fields right; True: give up) → figures of the finished run.
Attempt = Callable[[dict[str, Any], Callable[[int, float], bool]], dict[str, Any]]


def search(folder: Path, recipe: Recipe, space: Space, trials: int, attempt: Attempt) -> Any:
    """Go on until `trials` trials are finished or pruned; optuna's study. The value is the share of fields right.

    A trial's proposal depends on the recipe's seed and on the trials finished before it, so that a search that was
    killed goes on as the unbroken one would; the trial that was under way is taken again. `folder` must be held
    (`run_folder.alone`).
    """
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    journal = folder / "journal.log"
    _mend(journal)
    journal.with_name(journal.name + ".lock").unlink(missing_ok=True)  # a killed search's: we are alone in the folder
    backend = JournalFileBackend(str(journal))
    study = optuna.create_study(
        study_name=_identity(recipe, space),
        storage=JournalStorage(backend),
        direction="maximize",
        load_if_exists=True,
    )
    for under_way in study.get_trials(states=(TrialState.RUNNING,)):
        study.tell(under_way.number, state=TrialState.FAIL)
    while (done := _over(study)) < trials:
        study.sampler = optuna.samplers.TPESampler(seed=recipe.seed + done, n_startup_trials=_STARTUP)
        study.pruner = optuna.pruners.MedianPruner(n_startup_trials=_STARTUP)
        study.optimize(lambda trial: _try(trial, space, attempt), n_trials=1, catch=(AdaptersError,))
        last = study.trials[-1]
        if REFUSED in last.user_attrs and done == 0:
            raise AdaptersError(f"The first point cannot be trained: {last.user_attrs[REFUSED]}")
    return study


def _over(study: Any) -> int:
    """Trials that need not come again: finished, pruned, or refused (no room for that rank, say)."""
    from optuna.trial import TrialState

    ended = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return len(ended) + sum(REFUSED in trial.user_attrs for trial in study.get_trials(states=(TrialState.FAIL,)))


def _try(trial: Any, space: Space, attempt: Attempt) -> float:
    import optuna

    def look(step: int, fields: float) -> bool:
        trial.report(fields, step)
        return bool(trial.should_prune())

    try:
        figures = attempt(suggest(trial, space), look)
    except AdaptersError as error:
        trial.set_user_attr(REFUSED, str(error))
        raise
    for name, value in figures.items():
        trial.set_user_attr(name, value)
    if figures["pruned"]:
        raise optuna.TrialPruned
    return float(figures["fields"])


def _identity(recipe: Recipe, space: Space) -> str:
    """A study belongs to one recipe and one space: other ones begin anew beside it."""
    content = recipe.model_dump_json() + space.model_dump_json()
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _mend(journal: Path) -> None:
    """Cut off a last line that a kill left half-written."""
    if journal.exists() and (content := journal.read_bytes()) and not content.endswith(b"\n"):
        whole = content[: content.rfind(b"\n") + 1]
        scratch = journal.with_name(f".{journal.name}.{os.getpid()}")
        scratch.write_bytes(whole)
        scratch.replace(journal)

"""`python -m adapters search RECIPE.yaml --trials N`."""

import argparse
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from adapters import bases, machine
from adapters.errors import RecipeError
from adapters.registry.atomic import write_file
from adapters.search import table
from adapters.search.space import Space, read_space, with_point
from adapters.search.study import search
from adapters.settings import Settings
from adapters.training import publish, run_lock
from adapters.training.command import one_sentence, set_threads
from adapters.training.log import Log
from adapters.training.recipe import Recipe
from adapters.training.recipe_file import read_recipe
from adapters.training.run import Place, run, versions


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "search",
        help="search rank, alpha, targets and learning rate for a recipe",
        description="A seeded search (optuna: TPE, median pruning), judged by "
        "the validation fields right. A broken-off search goes on when the command is given again. Writes search.json, "
        "search.md, search.png and winner.yaml (the best recipe that is no larger than the given one).",
    )
    parser.add_argument("recipe", type=Path, help="every trial is this recipe with another lora and learning rate")
    parser.add_argument("--trials", type=int, default=20, help="finished or pruned trials to reach (default: 20)")
    parser.add_argument("--space", type=Path, help="YAML: r, alpha_over_r, targets, learning_rate (default: built in)")
    parser.add_argument("--base", help="another base than the recipe's: 'embedded', a folder, or a hub's name")
    parser.add_argument("--out", type=Path, help="where the tables go (default: the search's folder under --runs)")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where the search is kept (default: runs)")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (default: all)")
    parser.set_defaults(run=_run)


class _GivenUp(Exception):
    """The pruner says that this trial need not go on."""


def _run(args: argparse.Namespace) -> int:
    settings, recipe, space = Settings(), read_recipe(args.recipe), read_space(args.space)
    if args.trials < 1:
        raise RecipeError(f"--trials {args.trials}: at least one is needed.")
    if recipe.start_from:
        raise RecipeError(f"The recipe {args.recipe} goes on from {recipe.start_from}: a search needs a fresh start.")
    if args.base:
        recipe = recipe.model_copy(update={"base": args.base})
    base = bases.resolve(recipe.base, settings)
    folder = args.runs / f"{recipe.name}-search"
    set_threads(args.threads)
    with one_sentence(args.runs), run_lock.alone(folder):
        place = Place(args.recipe.parent, base, folder / "trial", settings.cache / "samples")
        study = search(folder, recipe, space, args.trials, lambda point, look: _attempt(recipe, place, point, look))
        out = args.out or folder
        print(_write(study, recipe, space, base, out))
    return 0


def _attempt(recipe: Recipe, place: Place, point: dict[str, Any], look: Callable[[int, float], bool]) -> dict[str, Any]:
    """Train at one point. The figures are those of the weights that a run would publish, or of a pruned one's last."""
    shutil.rmtree(place.folder, ignore_errors=True)
    place.folder.mkdir(parents=True)
    logs: list[Log] = []
    trial = with_point(recipe, point)

    def watch(log: Log, steps: int) -> None:
        logs[:] = [log]
        if log.validation and log.validation[-1]["step"] == log.step:
            fields = log.validation[-1]["fields"]
            print(f"{_named(point)}: step {log.step}/{steps}, fields right {fields:.1%}", file=sys.stderr, flush=True)
            if look(log.step, fields) and log.step < steps:
                raise _GivenUp

    pruned = False
    try:
        run(trial, place, watch)
    except _GivenUp:
        pruned = True
    finally:
        shutil.rmtree(place.folder, ignore_errors=True)
    log = logs[0]
    # What is published at the end: the best look's weights where the recipe stops early, the last ones elsewhere.
    keeps_best = trial.early_stopping is not None and not pruned
    best = max(log.validation, key=lambda seen: seen["fields"]) if keeps_best else log.validation[-1]
    return {
        **{name: best[name] for name in ("fields", "exact", "loss")},
        "pruned": pruned,
        "steps": log.step,
        "parameters": table.parameters(place.base, trial.lora),
        "seconds": round(log.seconds, 1),
    }


def _write(study: Any, recipe: Recipe, space: Space, base: Path, out: Path) -> Path:
    """The tables, and the winner at the recipe's own size or below as a recipe of its own."""
    out.mkdir(parents=True, exist_ok=True)
    found, own = table.rows(study), table.parameters(base, recipe.lora)
    best = table.winners(found, own)
    content = {
        "recipe": publish.public_recipe(recipe),
        "space": space.model_dump(mode="json"),
        "versions": versions(),
        "machine": machine.describe(),
        **best,
        "trials": found,
    }
    write_file(out / "search.json", json.dumps(content, indent=1).encode() + b"\n")
    write_file(out / "search.md", table.markdown(found).encode())
    table.plot(found, own, f"{recipe.name} ({recipe.method}), {len(found)} trials", out / "search.png")
    if best["best_at_size"]:
        winner = publish.public_recipe(with_point(recipe, best["best_at_size"]))
        text = "# The winner of a search; put it beside the recipe that was searched.\n"
        write_file(out / "winner.yaml", (text + yaml.safe_dump(winner, sort_keys=False)).encode())
    return out / "search.md"


def _named(point: dict[str, Any]) -> str:
    return (
        f"r={point['r']} alpha={point['r'] * point['alpha_over_r']} lr={point['learning_rate']:.1e} {point['targets']}"
    )

"""`python -m adapters train RECIPE.yaml`."""

import argparse
import errno
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adapters import bases
from adapters.errors import AdaptersError, ran_out_of_memory
from adapters.provenance import stamp
from adapters.registry.atomic import write_file
from adapters.registry.option import add_option, chosen
from adapters.settings import Settings
from adapters.training import curves, publish, run_lock, trackers
from adapters.training.log import Log
from adapters.training.progress import TrainingBar
from adapters.training.recipe import Recipe
from adapters.training.recipe_file import read_recipe
from adapters.training.run import Outcome, Place, measured, report, run

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "train",
        help="train an adapter from a recipe and write it as a revision",
        description="Train a LoRA adapter from a recipe (YAML; method lora, qlora or qat-lora) and write it as an "
        "immutable revision. Uses the GPU if there is one. A broken-off run goes on where its last checkpoint stands "
        "when the command is given again. ADAPTERS_TRACKERS: tensorboard (the default where it is installed), mlflow, "
        "wandb, several with commas, or none.",
    )
    parser.add_argument("recipe", type=Path, help="for example adapters/recipes/cni.yaml")
    parser.add_argument("--base", help="another base than the recipe's: 'embedded', a folder, or a hub's name")
    add_option(parser, "where the revision goes")
    parser.add_argument(
        "--runs", type=Path, default=Path("runs"), help="where checkpoints and curves go (default: runs)"
    )
    parser.add_argument(
        "--data", type=Path, help="where the labelled examples lie that a recipe names (default: beside the recipe)"
    )
    parser.add_argument("--stop-after", type=int, metavar="STEPS", help="end after so many steps: to try the road")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (default: all)")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    before, settings = stamp(), Settings()
    recipe = read_recipe(args.recipe)
    if args.base:
        recipe = recipe.model_copy(update={"base": args.base})
    if args.stop_after:
        recipe = recipe.model_copy(update={"stop_after": max(1, args.stop_after)})
    base = bases.resolve(recipe.base, settings)
    place = Place(args.recipe.parent, base, args.runs / recipe.name, settings.cache / "samples", args.data)
    publish.describe(base)
    registry = chosen(args.registry)
    set_threads(args.threads)
    with one_sentence(args.runs), run_lock.alone(place.folder):
        run_lock.claim(place.folder, recipe)
        outcome = _train(recipe, place, settings.tracker_names)
        print(_write(recipe, base, registry, place.folder, outcome, before))
    return 0


def set_threads(count: int) -> None:
    """CPU threads of torch; 0 leaves all."""
    import torch

    if count:
        torch.set_num_threads(count)


@contextmanager
def one_sentence(folder: Path) -> Iterator[None]:
    """What the machine refuses while we work (disk, files, memory), as an error of ours; the last checkpoint stays."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        if _no_room(error):
            raise AdaptersError(
                f"The disk of {folder} (or of the registry or cache) is full: make room and give the command again, "
                "it goes on from the last checkpoint."
            ) from error
        if not isinstance(error, OSError):
            raise
        raise AdaptersError(
            f"{error.filename or folder} cannot be used ({error.strerror or type(error).__name__}): see to that path "
            "and give the command again, it goes on from the last checkpoint."
        ) from error
    except (MemoryError, RuntimeError) as error:
        if not ran_out_of_memory(error):
            raise
        raise AdaptersError(
            "Memory ran out in training: take a smaller optimization.batch or set gradient_checkpointing: true."
        ) from error


def _no_room(error: Exception) -> bool:
    """Whether a disk is full; safetensors has the system's words for it, not its number."""
    return getattr(error, "errno", None) in _NO_ROOM or "No space left" in str(error)


def _train(recipe: Recipe, place: Place, names: tuple[str, ...]) -> Outcome:
    print("preparing samples", file=sys.stderr, flush=True)
    told = {**publish.public_recipe(recipe), "base": publish.base_name(recipe)}
    opened = trackers.open_trackers(names, recipe.name, place.folder, told)
    try:
        with TrainingBar() as bar:

            def watch(log: Log, steps: int) -> None:
                trackers.report(opened, log)
                bar.show(log, steps)

            return run(recipe, place, watch)
    finally:
        for tracker in opened:
            tracker.close()


def _write(recipe: Recipe, base: Path, registry: Path, folder: Path, outcome: Outcome, before: dict[str, Any]) -> Path:
    """The revision with its report and picture, both also in the run's folder. `before`: the run's stamp."""
    content = {**before, **report(recipe, outcome), "recipe": publish.public_recipe(recipe)}
    write_file(folder / "training.json", json.dumps(content).encode() + b"\n")
    curves.plot(outcome.log, f"{recipe.name} ({recipe.method}) on {publish.base_name(recipe)}", folder / "training.png")
    extra = [folder / "training.json", folder / "training.png"]
    return publish.write_revision(outcome.model, recipe, base, registry, measured(outcome), extra)

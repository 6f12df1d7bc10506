"""`python -m adapters train RECIPE.yaml`."""

import argparse
import json
import resource
import sys
from pathlib import Path
from typing import Any

from adapters import bases, machine
from adapters.errors import AdaptersError
from adapters.settings import Settings
from adapters.training import curves, publish
from adapters.training.examples import Examples, prepare
from adapters.training.log import Log
from adapters.training.progress import TrainingBar
from adapters.training.recipe import Recipe, read_recipe


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "train",
        help="train an adapter from a recipe and write it as a revision",
        description="Train a LoRA adapter from a recipe (YAML) and write it as an immutable revision. Uses the GPU if "
        "there is one. A broken-off run goes on where its last checkpoint stands when the command is given again.",
    )
    parser.add_argument("recipe", type=Path, help="for example adapters/recipes/cni.yaml")
    parser.add_argument("--base", help="another base than the recipe's: 'embedded', a folder, or a hub's name")
    parser.add_argument(
        "--registry", type=Path, default=Path("adapters"), help="where the revision goes (default: adapters)"
    )
    parser.add_argument(
        "--runs", type=Path, default=Path("runs"), help="where checkpoints and curves go (default: runs)"
    )
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (default: all)")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    recipe = read_recipe(args.recipe)
    if args.base:
        recipe = recipe.model_copy(update={"base": args.base})
    base = bases.resolve(recipe.base, Settings())
    folder = args.runs / recipe.name
    _claim(folder, recipe)
    log, model, examples = _train(recipe, args.recipe.parent, base, folder, args.threads)
    measured = _measured(log, examples)
    revision = publish.write_revision(model, recipe, base, args.registry, measured)
    title = f"{recipe.name}@{revision.name} on {publish.base_name(recipe)}"
    curves.plot(log, title, revision / "training.png")
    (revision / "training.json").write_text(
        json.dumps({**measured, "validation": log.validation, "losses": log.losses}) + "\n"
    )
    print(f"{revision}")
    return 0


def _claim(folder: Path, recipe: Recipe) -> None:
    """A run's folder belongs to one recipe: a checkpoint of another would be resumed as if it were this one's."""
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "recipe.json"
    wanted = json.dumps(recipe.model_dump(mode="json"), sort_keys=True, indent=1)
    if note.exists() and note.read_text() != wanted:
        raise AdaptersError(
            f"{folder} holds a run of another recipe: remove that folder or choose another with --runs."
        )
    note.write_text(wanted)


def _train(recipe: Recipe, beside: Path, base: Path, folder: Path, threads: int) -> tuple[Log, Any, Examples]:
    import torch
    from transformers import AutoTokenizer

    from adapters.training import loop
    from adapters.training.model import with_adapter

    if threads:
        torch.set_num_threads(threads)
    print("preparing samples", file=sys.stderr, flush=True)
    tokenizer = AutoTokenizer.from_pretrained(base)
    examples = prepare(recipe, beside, tokenizer)
    torch.manual_seed(recipe.seed)
    start_from = beside / recipe.start_from if recipe.start_from else None
    model = with_adapter(base, recipe.lora, start_from)
    with TrainingBar() as bar:
        log = loop.train(model, recipe, examples, folder / "checkpoint", bar.show)
    return log, model, examples


def _measured(log: Log, examples: Examples) -> dict[str, Any]:
    return {
        "samples": len(examples.training),
        "steps": log.step,
        "tokens": log.tokens,
        "seconds": round(log.seconds),
        "tokens_per_second": round(log.tokens / log.seconds),
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "validation_loss": log.validation[-1]["loss"],
        "validation_exact": log.validation[-1]["exact"],
        "machine": machine.describe(),
    }

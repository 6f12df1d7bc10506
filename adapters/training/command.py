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
from adapters.training import checkpoint, curves, dataset, loop, publish
from adapters.training.contract import contract
from adapters.training.recipe import Recipe, read_recipe


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "train",
        help="train an adapter from a recipe and write it as a revision",
        description="Train a LoRA adapter from a recipe (YAML) and write it as an immutable revision. Uses the GPU if there "
        "is one. A broken-off run goes on where its last checkpoint stands when the same command is given again.",
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


def _train(
    recipe: Recipe, beside: Path, base: Path, folder: Path, threads: int
) -> tuple[checkpoint.Log, Any, loop.Examples]:
    import torch
    from transformers import AutoTokenizer

    from adapters.training.model import with_adapter

    if threads:
        torch.set_num_threads(threads)
    print("preparing samples", file=sys.stderr, flush=True)
    tokenizer = AutoTokenizer.from_pretrained(base)
    examples = prepare(recipe, beside, tokenizer)
    torch.manual_seed(recipe.seed)
    model = with_adapter(base, recipe.lora)
    with _watching() as watch:
        log = loop.train(model, recipe, examples, folder / "checkpoint", watch)
    return log, model, examples


def prepare(recipe: Recipe, beside: Path, tokenizer: Any) -> loop.Examples:
    """All sequences of a recipe whose recorded files lie in `beside`."""
    prompts = contract(recipe.data.documents)
    data = recipe.data
    training = [
        dataset.encode(sample, prompts, tokenizer) for sample in dataset.modelled(data, "train", data.text, recipe.seed)
    ]
    for name in data.recorded:
        real = [
            dataset.encode(sample, prompts, tokenizer) for sample in dataset.recorded(beside / name, data.documents)
        ]
        training += real * data.recorded_repeats
    unseen = dataset.modelled(data, "valid", data.validation, recipe.seed)
    return loop.Examples(
        training, [dataset.encode(sample, prompts, tokenizer) for sample in unseen], tokenizer.eos_token_id
    )


class _watching:
    """A progress bar on standard error with the last losses beside it."""

    def __enter__(self) -> loop.Watch:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
        )
        self._console = Console(stderr=True)
        self._bar = Progress(*columns, console=self._console)
        self._task = self._bar.add_task("", total=None)
        self._bar.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _show(self, log: checkpoint.Log, steps: int) -> None:
        recent = log.losses[-20:]
        self._bar.update(
            self._task, completed=log.step, total=steps, description=f"loss {sum(recent) / len(recent):.4f}"
        )
        if log.validation and log.validation[-1]["step"] == log.step:
            last = log.validation[-1]
            rate = log.tokens / log.seconds
            self._console.print(
                f"step {log.step}/{steps}: loss {sum(recent) / len(recent):.4f}, validation {last['loss']:.4f}, "
                f"answers right {last['exact']:.1%}, {rate:.0f} tokens/s"
            )


def _measured(log: checkpoint.Log, examples: loop.Examples) -> dict[str, Any]:
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

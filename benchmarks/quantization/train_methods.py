"""LoRA, QLoRA and QAT-LoRA with one small recipe: fields right, speed and memory of each; each adapter on each base.

    python -m benchmarks.quantization.train_methods --out benchmarks/results        half an hour on two quiet cores

Fields and cards are judged teacher-forced on modelled OCR lines of unseen people (adapters/training/teacher_forced.py).
Each run is a process of its own, so that its peak memory is its own; its figures are said when it ends. The last line
of output is the result as JSON, which lies with a PNG in --out.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from adapters import bases
from adapters.provenance import stamp
from adapters.settings import Settings
from adapters.training.recipe import Recipe, form_name
from adapters.training.recipe_file import read_recipe

METHODS: dict[str, dict[str, Any]] = {
    "lora": {"method": "lora"},
    "qlora": {"method": "qlora"},
    "qat-lora int8": {"method": "qat-lora", "qat": {"weights": "int8", "activations": "int8"}},
    "qat-lora int4": {"method": "qat-lora", "qat": {"weights": "int4", "activations": "none"}},
}
# QAT for INT8 answers a question that INT8 after training seldom leaves open, and is the slowest: on demand.
_USUAL = ("lora", "qlora", "qat-lora int4")
_RATIOS = ("validation_fields", "validation_exact", "tokens_per_second", "base_weights_bytes", "peak_memory_bytes")
_KEPT = ("samples", "steps", "tokens", "seconds", "tokens_per_second", "peak_memory_bytes", "peak_gpu_memory_bytes",
         "base_weights_bytes", "validation_fields", "validation_exact", "validation_loss")  # fmt: skip
_COLOURS = {"lora": "#1f4e8c", "qlora": "#c2571a", "qat-lora int8": "#2c7a3f", "qat-lora int4": "#7a4b9a"}


def main() -> int:
    """Train with each method, judge each adapter on each form of the base."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quantization.train_methods", description=__doc__)
    parser.add_argument("--base", default="embedded", help="'embedded', a folder, or a hub's name (default: embedded)")
    parser.add_argument("--samples", type=int, default=800, help="training samples (default: %(default)s)")
    parser.add_argument("--validation", type=int, default=160, help="samples of unseen people (default: %(default)s)")
    parser.add_argument(
        "--methods", nargs="+", choices=METHODS, default=list(_USUAL), help=f"default: {', '.join(_USUAL)}"
    )
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: every core")
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--out", type=Path, default=Path("runs/train_methods"), help="default: %(default)s")
    parser.add_argument("--quick", action="store_true", help="a few steps, to see that it runs; figures mean nothing")
    args = parser.parse_args()
    if args.quick:
        args.samples, args.validation = 8, 4
    with tempfile.TemporaryDirectory() as folder:
        result = measure(args, Path(folder))
    args.out.mkdir(parents=True, exist_ok=True)
    plot(result, args.out / "train_methods.png")
    text = json.dumps(result)
    (args.out / "train_methods.json").write_text(text + "\n")
    print(text)
    return 0


def measure(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Every run and every pair of adapter and base."""
    before, base = stamp(), bases.resolve(args.base, Settings())
    runs = {name: _train(name, args, base, folder) for name in args.methods}
    first = next(iter(runs.values()))
    for run in runs.values():
        for figure in _RATIOS:
            run[f"{figure}_over_{args.methods[0]}"] = round(run[figure] / first[figure], 4) if first[figure] else None
    across = {name: _across(run.pop("revision"), run.pop("recipe_file"), base, args) for name, run in runs.items()}
    return {
        "benchmark": "train_methods",
        "base": base.name if args.base != bases.EMBEDDED else args.base,
        "document": "cni-2018-recto",
        "samples": args.samples,
        "validation": args.validation,
        "threads": args.threads,
        "seed": args.seed,
        "quick": args.quick,
        "runs": runs,
        "fields_right_on": {name: {form: seen["fields"] for form, seen in on.items()} for name, on in across.items()},
        "cards_right_on": {name: {form: seen["exact"] for form, seen in on.items()} for name, on in across.items()},
        **before,
    }


def _train(name: str, args: argparse.Namespace, base: Path, folder: Path) -> dict[str, Any]:
    place = folder / name.replace(" ", "-")
    place.mkdir()
    recipe = {
        "name": place.name,
        "base": str(base),
        "seed": args.seed,
        **METHODS[name],
        "lora": {"r": 16, "alpha": 32, "dropout": 0.0, "targets": ["q_proj", "v_proj"]},
        "data": {"documents": ["cni-2018-recto"], "text": args.samples, "validation": args.validation},
        "optimization": {"learning_rate": 0.001, "batch": 4},
        "evaluate_every": 1000,
        "checkpoint_every": 1000,
    }
    path = place / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe))
    print(f"training by {name}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "adapters", "train", str(path), "--runs", str(place), "--registry", str(place)]
    done = subprocess.run([*command, "--threads", str(args.threads)], stdout=subprocess.PIPE, text=True, check=True,
                          env={**os.environ, "ADAPTERS_TRACKERS": "none"})  # fmt: skip
    revision = Path(done.stdout.strip().splitlines()[-1])
    report = json.loads((revision / "training.json").read_text())
    figures = {key: report[key] for key in _KEPT}
    print(f"{name}: {json.dumps(figures)}", file=sys.stderr, flush=True)
    return figures | {"revision": revision, "recipe_file": path}


def _across(revision: Path, recipe_file: Path, base: Path, args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Fields and cards right (`fields`, `exact`) of one adapter on the base in each form: what serving it on another
    one than it learned on costs."""
    import torch
    from transformers import AutoTokenizer

    from adapters.training.base_precision import form_of
    from adapters.training.examples import prepare
    from adapters.training.model import with_adapter
    from adapters.training.teacher_forced import judge

    torch.set_num_threads(args.threads)
    own = read_recipe(recipe_file)
    few = own.model_copy(update={"data": own.data.model_copy(update={"text": 0})})
    examples = prepare(few, recipe_file.parent, AutoTokenizer.from_pretrained(base))
    found: dict[str, dict[str, float]] = {}
    for changes in METHODS.values():
        other = Recipe.model_validate({"name": "other", **changes})
        model = with_adapter(base, own.lora, revision, form_of(other))
        seen = judge(model, examples.validation, examples.pad, 4)
        found[form_name(other)] = {figure: round(seen[figure], 4) for figure in ("fields", "exact")}
        print(f"{own.name} on {form_name(other)}: {found[form_name(other)]}", file=sys.stderr, flush=True)
    return found


def plot(result: dict[str, Any], path: Path) -> None:
    """Fields right on each base, and what each method costs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 6.6), layout="constrained")
    panels = figure.subplots(2, 3)
    runs = result["runs"]
    names = list(runs)
    costs = (
        ("validation_fields", 100, "fields right on its own base, %"),
        ("tokens_per_second", 1, "training tokens a second"),
        ("validation_exact", 100, "whole cards right on its own base, %"),
        ("base_weights_bytes", 1e-6, "the base's weights in training, MB"),
        ("peak_memory_bytes", 1e-9, "peak memory of the process, GB"),
    )
    for panel, (key, scale, label) in zip(panels.flat, costs, strict=False):
        bars = panel.bar(names, [runs[name][key] * scale for name in names], color=[_COLOURS[name] for name in names])
        panel.bar_label(bars, fmt="%.3g", fontsize=8)
        panel.set_title(label, fontsize=9)
        panel.tick_params(axis="x", labelsize=7)
        panel.margins(y=0.15)
    panel = panels[1][2]
    forms = list(next(iter(result["fields_right_on"].values())))
    for number, name in enumerate(names):
        at = [place + (number - (len(names) - 1) / 2) * 0.2 for place in range(len(forms))]
        panel.bar(at, [100 * result["fields_right_on"][name][form] for form in forms], 0.18, color=_COLOURS[name])
    panel.set_xticks(range(len(forms)), forms)
    panel.set_title("fields right by the base it is judged on, %", fontsize=9)
    figure.suptitle(f"{result['base']}, {result['document']}: one recipe, {len(names)} methods", fontsize=10)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    sys.exit(main())

"""The loop's folder: a recipe with its examples beside it, a registry, and a revision whose answers nobody can read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import yaml

from adapters.registry.canonical import file_sha256
from adapters.registry.digest import CONFIG_FILE, MANIFEST_FILE, WEIGHTS_FILE
from adapters.training.recipe import Recipe
from adapters.training.recipe_file import read_recipe
from benchmarks.registry.loop_runbook import ROOT

RECIPE = ROOT / "adapters/recipes/receipt-hundred.yaml"
_SCALE = 2.0  # of the noise: far above any trained weight


def lay_out(folder: Path, data: Path, held_out: int, quick: bool) -> Recipe:
    """`receipt/` with the recipe and links to what it names, `adapters/` and `runs/`; the recipe as it is read there.

    held_out: how many receipts judge a revision; quick: two steps of training.
    """
    room = folder / "receipt"
    for made in (room, folder / "adapters", folder / "runs"):
        made.mkdir()
    content = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    [judged] = content["data"]["held_out"]
    judged["range"][1] = judged["range"][0] + held_out
    if quick:
        content["stop_after"] = 2
    (room / "recipe.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    document = Path(content["document"]).parts[0]
    for name in (document, content["start_from"]):
        (room / name).symlink_to(RECIPE.parent / name)
    examples = content["data"]["examples"][0]["path"]
    (room / examples).symlink_to((data / examples).resolve())
    return read_recipe(room / "recipe.yaml")


def newest() -> Path:
    """The shipped revision; of several the one that came last. Raises RuntimeError where none is there."""
    found = [path.parent for path in (ROOT / "adapters/receipt").glob(f"*/{MANIFEST_FILE}")]
    if not found:
        raise RuntimeError("adapters/receipt holds no revision: name one with --newest.")
    return max(found, key=lambda path: path.stat().st_mtime)


def noise(revision: Path, folder: Path, seed: int) -> Path:
    """A copy of a revision with noise in the place of its weights, in `folder`: asked as the other is, it passes every
    check of a file, and writes texts that do not end."""
    import torch
    from safetensors.torch import load_file, save_file

    folder.mkdir(parents=True)
    random = torch.Generator().manual_seed(seed)
    weights = load_file(revision / WEIGHTS_FILE)
    noisy = {name: torch.randn(each.shape, generator=random) * _SCALE for name, each in weights.items()}
    save_file({name: each.to(weights[name].dtype) for name, each in noisy.items()}, folder / WEIGHTS_FILE)
    shutil.copy(revision / CONFIG_FILE, folder)
    manifest = json.loads((revision / MANIFEST_FILE).read_text(encoding="utf-8"))
    manifest |= {"sha256": file_sha256(folder / WEIGHTS_FILE)}
    for name in ("revision", "scores", "measured"):
        manifest.pop(name, None)
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")
    return folder

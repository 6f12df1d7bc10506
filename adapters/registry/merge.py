"""`merge`: several revisions of one base blended into a new one, by PEFT's own linear, TIES and DARE.

Methods: https://huggingface.co/docs/peft/developer_guides/model_merging
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.registry.adapter_config import read_adapter_config
from adapters.registry.base_model import read_base
from adapters.registry.canonical import file_sha256
from adapters.registry.catalogue import Revision
from adapters.registry.digest import MANIFEST_FILE, WEIGHTS_FILE
from adapters.registry.errors import Conflict, Refused, RegistryError
from adapters.registry.manifest import Base, Manifest
from adapters.registry.option import add_option, chosen
from adapters.registry.reader import Reader
from adapters.registry.store import Registry
from adapters.registry.validate import Rules, check_content, check_header

METHODS = ("linear", "ties", "dare_linear", "dare_ties")
_MERGED = "merged"


@dataclass(frozen=True)
class Blend:
    """How to merge. `density`: the share of values that TIES and DARE keep; `seed`: DARE's choice of them."""

    method: str
    weights: dict[str, float]
    density: float = 0.5
    seed: int = 0


def add_parser(subparsers: Any) -> None:
    """Add `merge` to a command line."""
    parser = subparsers.add_parser("merge", help="blend revisions into a new one (linear, TIES, DARE)")
    parser.add_argument("parents", nargs="+", metavar="NAME@REVISION=WEIGHT", help="at least two, of one base")
    parser.add_argument("--base", type=Path, required=True, help="folder of the base model")
    add_option(parser)
    parser.add_argument("--name", required=True, help="adapter that gets the new revision")
    parser.add_argument("--method", choices=METHODS, default="linear")
    parser.add_argument("--density", type=float, default=0.5, help="share of values kept by TIES and DARE")
    parser.add_argument("--seed", type=int, default=0)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Merge and register; prints the new revision. 2 with one line when it cannot be done."""
    try:
        weights = dict(_parent(text) for text in arguments.parents)
        blend = Blend(arguments.method, weights, arguments.density, arguments.seed)
        revision = merge(chosen(arguments.registry), arguments.base, arguments.name, blend)
    except (RegistryError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{arguments.name}@{revision}\n")
    return 0


def merge(root: Path, base_folder: Path, name: str, blend: Blend) -> str:
    """Write the blend as a new revision of `name`; its revision. Raises RegistryError, OSError, ValueError."""
    if len(blend.weights) < 2 or not 0 < blend.density <= 1:
        raise Conflict("A merge needs at least two parents and a density above 0, at most 1.")
    base = read_base(base_folder)
    # Any rank: the server that will serve the result has its own limit.
    rules = Rules(base, max_rank=512, aliases=_any_name(root, blend))
    parents = _find(root, rules, blend)
    registry = Registry(root)
    with registry.staging() as staging:
        _combine(base_folder, parents, blend, staging)
        folder = staging / _MERGED
        described = Base(
            name=base_folder.name,
            fingerprint=base.fingerprint,
            weights=base.weights,
            architecture=base.architecture,
            hidden_size=base.hidden_size,
            layers=base.layers,
        )
        _describe(folder, name, described, parents, blend)
        checked = check_header(folder, rules)
        check_content(folder, checked.manifest, None)
        return registry.register(name, folder)[0]


def _parent(text: str) -> tuple[str, float]:
    model, separator, weight = text.rpartition("=")
    if not separator or "@" not in model:
        raise Conflict(f"{text!r} is not NAME@REVISION=WEIGHT.")
    return model, float(weight)


def _any_name(root: Path, blend: Blend) -> frozenset[str]:
    """PEFT folders name their base as they knew it; shapes and fingerprints decide here."""
    names: set[str] = set()
    for model in blend.weights:
        for folder in [root / model.partition("@")[0], *(root / model.partition("@")[0]).glob("*")]:
            try:
                names.add(read_adapter_config(folder, 512).base_model_name_or_path or "")
            except (Refused, OSError):
                continue
    return frozenset(names)


def _find(root: Path, rules: Rules, blend: Blend) -> dict[str, Revision]:
    catalogue = Reader(root, rules).read()
    parents = {}
    for model in blend.weights:
        adapter, _, prefix = model.partition("@")
        revision = catalogue.adapter(adapter).find(prefix)
        if revision.refusal is not None:
            raise Conflict(f"{revision.public_name} cannot be merged: {revision.refusal}")
        parents[model] = revision
    contracts = {str(revision.manifest.prompt) if revision.manifest else "" for revision in parents.values()}
    if len(contracts) > 1:
        raise Conflict("The parents have different prompt contracts: a blend would speak none of them.")
    return parents


def _combine(base_folder: Path, parents: dict[str, Revision], blend: Blend, target: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    torch.manual_seed(blend.seed)
    base = AutoModelForCausalLM.from_pretrained(base_folder, dtype=torch.float32)
    model: Any = None
    names = []
    for index, revision in enumerate(parents.values()):
        names.append(f"parent{index}")
        if model is None:
            model = PeftModel.from_pretrained(base, revision.folder, adapter_name=names[0])
        else:
            model.load_adapter(revision.folder, adapter_name=names[-1])
    options = {} if blend.method == "linear" else {"density": blend.density}
    model.add_weighted_adapter(names, list(blend.weights.values()), _MERGED, combination_type=blend.method, **options)
    model.save_pretrained(target, selected_adapters=[_MERGED], save_embedding_layers=False)


def _describe(folder: Path, name: str, base: Base, parents: dict[str, Revision], blend: Blend) -> None:
    first = next(iter(parents.values())).manifest
    recipe = {
        "merge": blend.method,
        "parents": {revision.public_name: blend.weights[model] for model, revision in parents.items()},
        "density": blend.density,
    }
    manifest = Manifest(
        name=name,
        base=base,
        sha256=file_sha256(folder / WEIGHTS_FILE),
        prompt=first.prompt if first else None,
        recipe=recipe,
        seed=blend.seed,
    )
    (folder / MANIFEST_FILE).write_text(manifest.to_json() + "\n", encoding="utf-8")

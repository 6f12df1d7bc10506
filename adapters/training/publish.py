"""From trained weights to an immutable revision folder with its manifest."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from adapters import bases, embedded
from adapters.errors import BaseModelError
from adapters.hub.card import write_card
from adapters.registry.atomic import publish_folder
from adapters.registry.base_model import BaseModel, read_base
from adapters.registry.canonical import file_sha256
from adapters.registry.digest import MANIFEST_FILE, WEIGHTS_FILE, content_digest, revision_name
from adapters.registry.manifest import Base, Manifest, TrainedOn
from adapters.training.prompts import prompts_of
from adapters.training.recipe import Recipe, form_name
from adapters.training.run import versions


def write_revision(
    model: Any, recipe: Recipe, base: Path, registry: Path, measured: Mapping[str, Any], extra: Iterable[Path] = ()
) -> Path:
    """Write the adapter as `registry/name/<revision>` and return that folder; an equal revision is left as it is.

    `measured` (samples, seconds, machine …) goes into the manifest, but not into the revision's name;
    the files `extra` lie beside it.
    """
    described = describe(base)
    scratch = registry / recipe.name / ".writing"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        _write_weights(model, recipe, scratch)
        content = _manifest(recipe, described, scratch, measured)
        for path in extra:
            shutil.copyfile(path, scratch / path.name)
        (scratch / MANIFEST_FILE).write_text(content.to_json(), encoding="utf-8")
        revision = revision_name(content_digest(scratch))
        named = content.model_copy(update={"revision": revision})
        (scratch / MANIFEST_FILE).write_text(named.to_json() + "\n", encoding="utf-8")
        write_card(scratch)
        final = scratch.with_name(revision)
        if not final.exists():
            publish_folder(scratch, final)
        return final
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def describe(base: Path) -> BaseModel:
    """What a manifest says of the base in this folder; asked before the training as well. Raises BaseModelError."""
    try:
        return read_base(base)
    except (OSError, ValueError, KeyError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BaseModelError(
            f"The base {base.name} cannot be described ({reason}): an adapter needs a base of safetensors files with "
            "model.embed_tokens."
        ) from error


def base_name(recipe: Recipe) -> str:
    """What the base is called in public; never a path of this machine."""
    return (
        embedded.NAME
        if recipe.base == bases.EMBEDDED
        else Path(recipe.base).name
        if Path(recipe.base).is_dir()
        else recipe.base
    )


def public_recipe(recipe: Recipe) -> dict[str, Any]:
    """The recipe without this machine's paths."""
    name = recipe.base if recipe.base == bases.EMBEDDED else base_name(recipe)
    return {**recipe.model_dump(mode="json"), "base": name}


def _write_weights(model: Any, recipe: Recipe, folder: Path) -> None:
    """PEFT's two files; bfloat16, which is what they are multiplied in."""
    import torch

    config = model.peft_config["default"]
    config.base_model_name_or_path = base_name(recipe)
    config.inference_mode = True
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data = parameter.data.to(torch.bfloat16)
    model.save_pretrained(folder, save_embedding_layers=False)  # LoRA alone; and no look-up on a hub
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's, full of gaps to fill in; `write_card` makes ours


def _manifest(recipe: Recipe, base: BaseModel, folder: Path, measured: Mapping[str, Any]) -> Manifest:
    return Manifest(
        name=recipe.name,
        base=Base(
            name=base_name(recipe),
            fingerprint=base.fingerprint,
            weights=base.weights,
            architecture=base.architecture,
            hidden_size=base.hidden_size,
            layers=base.layers,
        ),
        sha256=file_sha256(folder / WEIGHTS_FILE),
        prompt=prompts_of(recipe),
        trained_on=TrainedOn(form=form_name(recipe)),
        recipe=public_recipe(recipe),
        seed=recipe.seed,
        samples=int(measured["samples"]),
        versions=versions(),
        measured=dict(measured),
    )

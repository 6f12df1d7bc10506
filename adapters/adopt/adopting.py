"""From a fetched PEFT folder to a folder that is a revision: configuration, weights and manifest of this base."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.adopt.embeddings import leave_out
from adapters.adopt.patterns import KEYS, expand
from adapters.registry.adapter_config import read_adapter_config
from adapters.registry.base_model import BaseModel
from adapters.registry.base_names import Says, recognise, says, shown
from adapters.registry.canonical import file_sha256
from adapters.registry.contract import PromptContract
from adapters.registry.digest import CONFIG_FILE, MANIFEST_FILE, WEIGHTS_FILE
from adapters.registry.errors import Refused
from adapters.registry.manifest import Base, Manifest, TrainedOn, read_manifest
from adapters.registry.quantization import read_quantization
from adapters.registry.scan import is_name
from adapters.registry.validate import Rules, check_content, check_header

ANY_RANK = 512


@dataclass(frozen=True)
class Target:
    """The base that an adapter is adopted for. `name`: its public name; `folder`: its files."""

    base: BaseModel
    folder: Path
    name: str

    @property
    def names(self) -> frozenset[str]:
        """All that it is called."""
        return frozenset({self.name, *self.base.names})


@dataclass(frozen=True)
class Adopted:
    """What was made: `rank`, `modules`, the embeddings that were left out, and the contract (None: the front's own)."""

    rank: int
    modules: int
    embeddings: tuple[str, ...]
    contract: PromptContract | None


def adopt(
    folder: Path, name: str, target: Target, contract: PromptContract | None = None, same_base: bool = False
) -> Adopted:
    """Turn the staged `folder`, which is ours, into a revision's content for the adapter `name`.

    `contract`: None keeps what a manifest in it says. `same_base`: the owner says that the base is the same, whatever
    the configuration calls it. Raises Refused, OSError.
    """
    if not is_name(name):
        raise Refused("name", f"{name[:80]!r} is no adapter name: letters, digits, '.', '_' and '-', at most 64.")
    embeddings = leave_out(folder, target.folder)
    _clear_saved(folder, embeddings)
    config = read_adapter_config(folder, ANY_RANK)
    try:
        manifest = read_manifest(folder)
    except ValueError as error:
        raise Refused("manifest", f"{error}.") from error
    if manifest is None:
        if not same_base:
            check_name(config.base_model_name_or_path, target)
        manifest = _manifest(folder, name, target, config.base_model_name_or_path)
        _write_config(folder, target)
    update = {"sha256": file_sha256(folder / WEIGHTS_FILE), **({"prompt": contract} if contract else {})}
    manifest = manifest.model_copy(update={**update, "revision": None})
    (folder / MANIFEST_FILE).write_text(manifest.to_json() + "\n", encoding="utf-8")
    checked = check_header(folder, Rules(target.base, ANY_RANK))
    check_content(folder, checked.manifest, None)
    return Adopted(checked.config.largest_rank, checked.modules, embeddings, manifest.prompt)


def _clear_saved(folder: Path, embeddings: tuple[str, ...]) -> None:
    """modules_to_save that named nothing but embeddings which the base has anyway."""
    path = folder / CONFIG_FILE
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        saved = set(config.get("modules_to_save") or ())
    except (OSError, ValueError, TypeError, AttributeError):
        return  # the registry's checks say so
    if saved and saved <= {module.rpartition(".")[2] for module in embeddings}:
        path.write_text(json.dumps({**config, "modules_to_save": None}, indent=2) + "\n", encoding="utf-8")


def named_base(folder: Path) -> str | None:
    """What the configuration calls its base; its content is judged later. Raises Refused where there is none."""
    try:
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        return str(config["base_model_name_or_path"] or "") or None
    except FileNotFoundError as error:
        raise Refused("config-missing", f"The adapter has no {CONFIG_FILE}.") from error
    except (OSError, ValueError, TypeError, KeyError):
        return None


def check_name(written: str | None, target: Target) -> None:
    """Shapes do not tell Qwen3-0.6B from Qwen3-0.6B-Base: a name that does not speak for the base needs its owner's.

    Raises Refused.
    """
    answer = says(written, target.names)
    if answer is Says.SAME:
        return
    if answer is Says.NOTHING and not written:
        said = "does not name its base"
    elif answer is Says.NOTHING:
        said = f"names its base only as {shown(written or '')!r}, a folder of the machine that trained it"
    else:
        said = f"is for the base {shown(written or '')!r}"
    raise Refused(
        "base-name",
        f"The adapter {said}; this base is {target.name!r}: name its own base with --base, or, where you know that "
        "it was trained on this one, say so with --same-base.",
    )


def _manifest(folder: Path, name: str, target: Target, written: str | None) -> Manifest:
    config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    peft = config.get("peft_version")
    quantized = read_quantization(target.folder)
    return Manifest(
        name=name,
        base=Base(
            name=quantized.base.name if quantized else target.name.rpartition("/")[2],
            fingerprint=target.base.fingerprint,
            weights=target.base.weights,
            architecture=target.base.architecture,
            hidden_size=target.base.hidden_size,
            layers=target.base.layers,
        ),
        trained_on=TrainedOn(form="nf4") if written and recognise(written).nf4 else None,
        sha256=file_sha256(folder / WEIGHTS_FILE),
        recipe={"adopted": {"called_its_base": shown(written) if written else None}},
        versions={"peft": str(peft)} if isinstance(peft, str) else {},
    )


def _write_config(folder: Path, target: Target) -> None:
    """Patterns by name, and the base's public name in place of a path of somebody's machine."""
    path = folder / CONFIG_FILE
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if any(config.get(key) for key in KEYS):
        config = expand(config, target.base.modules)
    config["base_model_name_or_path"] = target.name
    path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

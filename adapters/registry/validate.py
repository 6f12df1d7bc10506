"""What a revision must pass before it can serve, as far as it can be told without the engine."""

from dataclasses import dataclass
from pathlib import Path

from adapters.registry.adapter_config import AdapterConfig, read_adapter_config
from adapters.registry.base_model import BaseModel
from adapters.registry.canonical import file_sha256
from adapters.registry.digest import WEIGHTS_FILE, content_digest, revision_name
from adapters.registry.errors import Refused
from adapters.registry.manifest import Manifest, read_manifest
from adapters.registry.weights import check_tensors, check_values


@dataclass(frozen=True)
class Rules:
    """Against what a revision is checked. `aliases`: further names that mean the served base."""

    base: BaseModel
    max_rank: int
    aliases: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Checked:
    """A revision that passed: its manifest, configuration and how many modules it changes."""

    manifest: Manifest | None
    config: AdapterConfig
    modules: int


def check_header(folder: Path, rules: Rules) -> Checked:
    """The cheap checks: configuration, manifest, base, tensor names and shapes. Raises Refused."""
    config = read_adapter_config(folder, rules.max_rank)
    try:
        manifest = read_manifest(folder)
    except ValueError as error:
        raise Refused("manifest", f"{error}.") from error
    _check_base(config, manifest, rules)
    return Checked(manifest, config, check_tensors(folder, config, rules.base))


def check_content(folder: Path, manifest: Manifest | None, revision: str | None) -> None:
    """The checks that read all weights: values, checksum, and the name by content. Raises Refused."""
    check_values(folder)
    if manifest is not None and file_sha256(folder / WEIGHTS_FILE) != manifest.sha256:
        raise Refused("checksum", f"{WEIGHTS_FILE} does not have the sha256 that its manifest names.")
    actual = revision_name(content_digest(folder))
    for claimed in (revision, manifest.revision if manifest else None):
        if claimed is not None and claimed != actual:
            raise Refused("digest", f"The revision is called {claimed} but its content is {actual}.")


def _check_base(config: AdapterConfig, manifest: Manifest | None, rules: Rules) -> None:
    """By fingerprint where a manifest has one, else by the name that PEFT wrote."""
    base = rules.base
    if manifest is not None:
        if manifest.base.fingerprint != base.fingerprint:
            served = f"{base.architecture}, {base.layers} layers, fingerprint {base.fingerprint[:12]}"
            theirs = f"{manifest.base.name} (fingerprint {manifest.base.fingerprint[:12]})"
            raise Refused("base-fingerprint", f"The adapter is for the base {theirs}; this server has {served}.")
        return
    name = config.base_model_name_or_path
    if name and not base.is_called(name) and name not in rules.aliases:
        served = ", ".join(sorted(own for own in base.names if not own.startswith("/"))) or base.architecture
        own_name = name.rstrip("/").rpartition("/")[2] if name.startswith("/") else name
        raise Refused("base-name", f"The adapter is for the base {own_name!r}; this server has {served!r}.")

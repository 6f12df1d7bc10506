"""What a revision must pass before it can serve, as far as it can be told without the engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.registry.adapter_config import AdapterConfig, read_adapter_config
from adapters.registry.base_model import BaseModel
from adapters.registry.base_names import shown
from adapters.registry.canonical import file_sha256
from adapters.registry.digest import WEIGHTS_FILE, content_digest, revision_name
from adapters.registry.errors import Refused
from adapters.registry.fingerprint import KNOWN_BASES
from adapters.registry.manifest import Manifest, read_manifest
from adapters.registry.weights import check_names, check_tensors, check_values

_ANY_RANK = 512


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
    """The cheap checks: configuration, manifest, base, tensor names and shapes. Raises Refused, and nothing else."""
    with _only_refusals():
        config, manifest = _read(folder, rules.max_rank)
        _check_base(config, manifest, rules)
        return Checked(manifest, config, check_tensors(folder, config, rules.base))


def check_structure(folder: Path) -> None:
    """What can be told without a base: the files read, the weights are LoRA's. Raises Refused, and nothing else."""
    with _only_refusals():
        _read(folder, _ANY_RANK)
        check_names(folder)


def check_content(folder: Path, manifest: Manifest | None, revision: str | None) -> None:
    """The checks that read all weights: values, checksum, and the name by content. Raises Refused, and nothing else."""
    with _only_refusals():
        _check_content(folder, manifest, revision)


@contextmanager
def _only_refusals() -> Iterator[None]:
    """Whatever an untrusted file makes a parser raise says something about that file only."""
    try:
        yield
    except Refused:
        raise
    except (OSError, MemoryError) as error:
        # The disk, the network or this machine: the same files may pass a moment later.
        reason = getattr(error, "strerror", None) or "out of memory"
        raise Refused("unreadable", f"The adapter cannot be read at the moment: {reason}.") from error
    except Exception as error:
        raise Refused("damaged", f"The adapter's files cannot be understood ({type(error).__name__}).") from error


def _read(folder: Path, max_rank: int) -> tuple[AdapterConfig, Manifest | None]:
    config = read_adapter_config(folder, max_rank)
    try:
        return config, read_manifest(folder)
    except ValueError as error:
        raise Refused("manifest", f"{error}.") from error


def _check_content(folder: Path, manifest: Manifest | None, revision: str | None) -> None:
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
        trained = manifest.base.weights or KNOWN_BASES.get(manifest.base.fingerprint)
        if trained is not None and base.weights is not None and trained != base.weights:
            text = (
                f"The adapter is for the base {manifest.base.name} (weights {trained[:12]}); this server's base has "
                f"its embedding but other layers (weights {base.weights[:12]}), as after a merge or further training."
            )
            raise Refused("base-weights", text)
        return
    name = config.base_model_name_or_path
    if name and not base.is_called(name) and name not in rules.aliases:
        served = ", ".join(sorted(own for own in base.names if not own.startswith("/"))) or base.architecture
        raise Refused(
            "base-name",
            f"The adapter is for the base {shown(name)!r}; this server has {served!r}. Where it is the same one under "
            "another name, 'adapters adopt --same-base' says so.",
        )

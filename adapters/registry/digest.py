"""The content digest of a revision (docs/decisions/0002): its name is the first 12 hex digits."""

import hashlib
from pathlib import Path
from typing import Any

from adapters.registry.canonical import canonical_json, file_sha256, read_json
from adapters.registry.limits import MAX_MANIFEST

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"
MANIFEST_FILE = "manifest.json"
REVISION_LENGTH = 12
# Known only after the digest is (the revision is the digest, scores and confidences are measured under that name), or
# of the machine and the hour alone: what a training took says nothing of its weights.
NOT_CONTENT = frozenset({"scores", "revision", "measured", "calibration"})


def manifest_content(manifest: dict[str, Any] | None) -> dict[str, Any] | None:
    """The part of a manifest that belongs to the revision's content."""
    if manifest is None:
        return None
    return {key: value for key, value in manifest.items() if key not in NOT_CONTENT}


def content_digest(folder: Path) -> str:
    """sha256 (64 hex digits) of the adapter in `folder`.

    Raises OSError when its configuration or weights are missing, ValueError when the manifest is no strict JSON
    object.
    """
    manifest_path = folder / MANIFEST_FILE
    manifest = read_json(manifest_path, MAX_MANIFEST) if manifest_path.exists() else None
    if manifest is not None and not isinstance(manifest, dict):
        raise ValueError(f"{MANIFEST_FILE} holds a {type(manifest).__name__}, not an object")
    content = {
        CONFIG_FILE: file_sha256(folder / CONFIG_FILE),
        WEIGHTS_FILE: file_sha256(folder / WEIGHTS_FILE),
        "manifest": manifest_content(manifest),
    }
    return hashlib.sha256(canonical_json(content)).hexdigest()


def revision_name(digest: str) -> str:
    """The revision's name out of its content digest."""
    return digest[:REVISION_LENGTH]

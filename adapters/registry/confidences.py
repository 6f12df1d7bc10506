"""Weights of a revision's confidences, kept in its manifest: whoever has the revision has them too.

They are no part of its content, so a revision keeps its name when it is calibrated, or calibrated anew.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.registry.digest import MANIFEST_FILE
from adapters.registry.lock import writing
from adapters.registry.manifest import Confidences, annotate


def carries(root: Path, exact: str) -> bool:
    """Whether the registry in `root` has `NAME@REVISION` with a manifest, which can take them."""
    return "@" in exact and _manifest(root, exact).is_file()


def carry(root: Path, exact: str, weights: Mapping[str, Any]) -> Path:
    """Write them (fields of `Confidences`) into the manifest of `NAME@REVISION`, and return its path.

    Servers that follow the registry tell them from their next look on. Raises OSError, Busy, and ValueError for a
    manifest that is no JSON object, or weights that are none.
    """
    path = _manifest(root, exact)
    checked = Confidences.model_validate(dict(weights)).model_dump()
    with writing(root):
        annotate(path, "calibration", checked)
        os.utime(path.parents[1])  # a server looks at the times of adapters' folders
    return path


def _manifest(root: Path, exact: str) -> Path:
    name, _, revision = exact.partition("@")
    return root / name / revision / MANIFEST_FILE

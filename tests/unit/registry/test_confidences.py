"""Weights of confidences travel with a revision, which keeps its name."""

import json
from pathlib import Path

import pytest

from adapters.registry.confidences import carries, carry
from adapters.registry.digest import MANIFEST_FILE, content_digest
from adapters.registry.reader import Reader
from adapters.registry.store import Registry
from adapters.registry.validate import Rules
from tests.support.tiny_models import manifest_for, write_adapter

WEIGHTS = {"evidence": 2, "intercept": 0.25, "weights": {"model": 0.5, "ocr": 1 / 3}}


@pytest.fixture
def exact(base_folder: Path, tmp_path: Path) -> str:
    made = write_adapter(tmp_path / "made", manifest=manifest_for(base_folder))
    (tmp_path / "registry").mkdir()
    revision, _ = Registry(tmp_path / "registry").register("cni", made)
    return f"cni@{revision}"


def test_a_calibrated_revision_is_the_same_revision(exact: str, tmp_path: Path, rules: Rules) -> None:
    root = tmp_path / "registry"
    reader = Reader(root, rules)
    reader.read()
    before = content_digest(root / exact.replace("@", "/"))
    path = carry(root, exact, WEIGHTS)
    assert path.name == MANIFEST_FILE and content_digest(path.parent) == before
    assert reader.changed(), "a server that follows the folder looks again"
    revision = reader.read().adapters["cni"].revisions[exact.partition("@")[2]]
    assert revision.refusal is None and revision.manifest is not None
    assert revision.manifest.calibration is not None and revision.manifest.calibration.model_dump() == WEIGHTS


def test_weights_that_are_none_change_nothing(exact: str, tmp_path: Path) -> None:
    path = tmp_path / "registry" / exact.replace("@", "/") / MANIFEST_FILE
    before = path.read_bytes()
    for broken in ({"intercept": 1}, {**WEIGHTS, "weights": {"model": float("nan")}}, {**WEIGHTS, "more": 1}):
        with pytest.raises(ValueError, match="validation error"):
            carry(tmp_path / "registry", exact, broken)
    assert path.read_bytes() == before and not list(path.parent.glob(".manifest*"))


def test_a_folder_without_a_manifest_carries_none(tmp_path: Path, exact: str) -> None:
    root = tmp_path / "registry"
    write_adapter(root / "dropped" / "0123456789ab")
    assert carries(root, exact) and not carries(root, "dropped@0123456789ab") and not carries(root, "tiny-base")
    assert json.loads((root / exact.replace("@", "/") / MANIFEST_FILE).read_text())["name"] == "cni"

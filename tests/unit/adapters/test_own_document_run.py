"""A document of one's own on a tiny random base: trained, published with contract and card, asked on this machine."""

import json
from pathlib import Path

import pytest
import yaml

from ocr_frontend.llm.contract import Contract
from tests.support.receipts import write_folder
from tests.support.run_command import adapters_command
from tests.support.tiny_models import write_base


def test_from_examples_to_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTERS_TRACKERS", "none")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    base = write_base(tmp_path / "tiny-base")
    write_folder(tmp_path / "scans", 11)
    recipe = tmp_path / "recipe.yaml"
    content = {
        "name": "bill",
        "base": str(base),
        "document": yaml.safe_load(Path("adapters/recipes/receipt/document.yaml").read_text(encoding="utf-8")),
        "data": {"examples": [{"path": "scans"}], "origin": "Bills of nobody."},
        "optimization": {"batch": 2},
    }
    recipe.write_text(yaml.safe_dump(content), encoding="utf-8")
    asked = ("train", recipe, "--stop-after", 1, "--runs", tmp_path / "runs", "--registry", tmp_path / "registry")
    code, said = adapters_command(*asked)
    assert code == 0
    folder = Path(said.split()[-1])
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    served = Contract.model_validate(manifest["prompt"])
    assert served.of("receipt").spec is not None
    assert served.of("receipt").fields == ("company", "date", "address", "total")
    assert "Trained on: Bills of nobody." in (folder / "README.md").read_text(encoding="utf-8")
    code, _ = adapters_command("evaluate-examples", recipe, "--revision", folder)
    assert code == 0
    scores = json.loads((folder / "examples-given-lines.json").read_text(encoding="utf-8"))
    assert (scores["examples"], scores["model"]) == (2, f"bill@{folder.name}")
    assert "given lines" in (folder / "README.md").read_text(encoding="utf-8")

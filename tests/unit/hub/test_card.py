"""A revision's model card: by the hub's convention, of what lies beside it, never over somebody else's."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from adapters import embedded
from adapters.hub.card import card, write_card
from adapters.registry.digest import content_digest
from adapters.registry.home import SHIPPED
from tests.support.tiny_models import adapter_config, write_adapter, write_base

ROOT = Path(__file__).resolve().parents[3]
ROW = {
    "model": "mine", "document": "all", "condition": "hard", "cards": 60, "fields_exact": 0.722, "cards_right": 0.1,
    "fields_alone": 0.5, "cards_alone": 0.05,
}  # fmt: skip


@pytest.fixture
def revision(tmp_path: Path) -> Path:
    folder = tmp_path / "mine" / "0123456789ab"
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "org/base"}')
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    prompt = {"answer": "lines", "documents": {"cni-2018-recto": {}}}
    (folder / "manifest.json").write_text(json.dumps({"name": "mine", "revision": "0123456789ab", "prompt": prompt}))
    (folder / "evaluation.json").write_text(json.dumps({"rows": [ROW, {**ROW, "model": "base"}]}))
    return folder


def test_its_metadata_are_the_hubs(revision: Path) -> None:
    assert write_card(revision, "apache-2.0")
    found = ModelCard.load(revision / "README.md").data
    assert (found.base_model, found.library_name, found.license) == ("org/base", "peft", "apache-2.0")
    assert {(result.dataset_name, result.metric_name, result.metric_value) for result in found.eval_results} == {
        ("hard photos", "fields right to the letter, by the adapter alone", 0.5),
        ("hard photos", "cards right in every field, by the adapter alone", 0.05),
        ("hard photos", "fields, with the front's rules", 0.722),
        ("hard photos", "cards, with the front's rules", 0.1),
    }


def test_what_earlier_scores_do_not_say_is_left_out(revision: Path) -> None:
    earlier = {key: value for key, value in ROW.items() if not key.endswith("_alone")}
    (revision / "evaluation.json").write_text(json.dumps({"rows": [earlier]}))
    assert "| hard photos | 60 |  |  | 72.2% | 10.0% |" in card(revision, None)


def test_the_embedded_base_is_told_from_the_hubs(revision: Path) -> None:
    assert "Q4_1" not in card(revision, None)
    (revision / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": embedded.NAME}))
    assert "out of four bits (GGUF Q4_1)" in card(revision, None)


def test_it_is_renewed_with_its_licence_and_changes_no_name(revision: Path) -> None:
    before = content_digest(revision)
    write_card(revision, "mit")
    (revision / "evaluation.json").write_text(json.dumps({"rows": [{**ROW, "fields_exact": 0.9}]}))
    assert write_card(revision)
    text = (revision / "README.md").read_text()
    assert "90.0%" in text and "license: mit" in text
    assert content_digest(revision) == before


def test_somebody_elses_card_stays(revision: Path) -> None:
    (revision / "README.md").write_text("---\ntags: [theirs]\n---\n# Theirs\n")
    assert not write_card(revision)
    assert "Theirs" in (revision / "README.md").read_text()


def test_what_is_not_known_is_not_claimed(revision: Path) -> None:
    (revision / "evaluation.json").unlink()
    text = card(revision, None)
    assert "Not evaluated." in text and "What it was trained on is not told here." in text


def test_a_document_of_ones_own_says_its_data_and_its_scores(revision: Path) -> None:
    manifest = json.loads((revision / "manifest.json").read_text())
    manifest |= {"recipe": {"data": {"origin": "30 bills of ours (MIT)."}}, "samples": 30}
    manifest["prompt"]["documents"] = {"bill": {}}
    (revision / "manifest.json").write_text(json.dumps(manifest))
    (revision / "evaluation.json").unlink()
    row = {"field": "all", "f1": 0.912, "f1_letters": 0.95, "ceiling": 0.93}
    scores = {"examples": 3, "protocol": "given lines", "rows": [row]}
    (revision / "examples-given-lines.json").write_text(json.dumps(scores))
    text = card(revision, None)
    assert "Trained on: 30 bills of ours (MIT)." in text
    assert "3 examples, given lines" in text and "| all | 91.2% | 95.0% | 93.0% |" in text
    assert "Not evaluated." not in text
    write_card(revision)
    found = ModelCard.load(revision / "README.md").data
    assert {(result.metric_name, result.metric_value) for result in found.eval_results} == {
        ("F1", 0.912),
        ("F1, letters and digits alone", 0.95),
    }
    assert found.eval_results[0].dataset_name == "3 examples, given lines"
    assert found.language is None, "nobody said which"


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_card_says_what_lies_beside_it(name: str) -> None:
    folder = ROOT / "adapters" / name.replace("@", "/")
    written = folder / "README.md"
    assert written.is_file() and written.read_text("utf-8") == card(folder, "apache-2.0"), "make figures"
    assert ModelCard.load(written).data.eval_results, "its scores are in its metadata too"


def test_what_a_card_shows_in_python_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = write_base(tmp_path / "base")
    folder = write_adapter(tmp_path / "mine", config=adapter_config() | {"base_model_name_or_path": str(base)})
    (code,) = re.findall(r"```python\n(.*?)```", card(folder, None), re.DOTALL)
    monkeypatch.chdir(folder)
    found: dict[str, Any] = {}
    exec(code, found)
    assert found["model"].peft_config["default"].r == 16 and found["tokenizer"]("a")["input_ids"]

"""`adapters rerank`: what counts as right, and trees that weigh as scikit-learn's do."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from adapters.__main__ import main
from adapters.data.documents import fields_of
from adapters.errors import DataError, EvaluationError
from adapters.evaluation.rerank import as_nodes, read
from ocr_frontend.extraction.reranker.features import VERSION
from ocr_frontend.extraction.reranker.trees import Trees, load_trees

BOX = [[0, 0], [100, 0], [100, 20], [0, 20]]
ELSEWHERE = [[0, 50], [100, 50], [100, 70], [0, 70]]


def write_cards(folder: Path, sets: list[dict[str, Any]], value: str | None = "MBARGA", version: int = VERSION) -> None:
    keys = fields_of("cni-2018-recto")
    truth = {
        "file": "0.png", "document": "cni-2018-recto", "values": dict.fromkeys(keys) | {"nom_surname": value},
        "printed": dict.fromkeys(keys) | {"nom_surname": value}, "polygons": {"nom_surname": BOX} if value else {},
    }  # fmt: skip
    none = [{"lines": [], "value": None, "features": {"lines": 0}}]
    fields = dict.fromkeys(keys, none) | {"nom_surname": sets}
    card = {
        "file": "0.png",
        "document": "cni-2018-recto",
        "version": version,
        "boxes": [BOX, ELSEWHERE],
        "fields": fields,
    }
    folder.mkdir()
    (folder / "cards.jsonl").write_text(json.dumps(truth) + "\n")
    with gzip.open(folder / "choices.jsonl.gz", "wt") as file:
        file.write(json.dumps(card) + "\n")


def one_set(lines: list[int], value: str | None) -> dict[str, Any]:
    return {"lines": lines, "value": value, "features": {"lines": len(lines), "first": lines[0] if lines else -1}}


def test_a_set_is_right_where_it_says_the_value_or_stands_where_it_is(tmp_path: Path) -> None:
    misread = [one_set([], None), one_set([0], "MBARGO"), one_set([1], "ELISE"), one_set([0, 1], "MBARGO ELISE")]
    write_cards(tmp_path / "cards", misread)
    labelled, version = read([tmp_path / "cards"])
    named = [each.right for each in labelled if "first" in each.features]
    assert named == [False, True, False, False] and version == VERSION
    assert all(each.right for each in labelled if "first" not in each.features)  # null fields, and nothing named


def test_cards_without_choices_are_refused_with_the_way_out(tmp_path: Path) -> None:
    write_cards(tmp_path / "cards", [one_set([], None)])
    (tmp_path / "cards/choices.jsonl.gz").unlink()
    with pytest.raises(DataError, match="ocr_frontend choices"):
        read([tmp_path / "cards"])


def test_choices_of_two_versions_are_refused(tmp_path: Path) -> None:
    write_cards(tmp_path / "one", [one_set([], None)])
    write_cards(tmp_path / "two", [one_set([], None)], version=VERSION + 1)
    with pytest.raises(EvaluationError, match="several versions"):
        read([tmp_path / "one", tmp_path / "two"])


def test_written_trees_weigh_as_those_that_were_learnt() -> None:
    rng = np.random.default_rng(3)
    table = rng.normal(size=(600, 4))
    table[rng.random(table.shape) < 0.2] = np.nan
    right = np.nan_to_num(table[:, 0]) + np.isnan(table[:, 2]) > 0.4
    model = HistGradientBoostingClassifier(max_iter=9, max_leaf_nodes=6, random_state=0).fit(table, right)
    trees = Trees({"features": 1, "names": list("abcd"), **as_nodes(model)})
    assert np.allclose(trees.log_odds(table), model.decision_function(table), atol=1e-4)


def test_the_command_writes_what_the_front_loads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_cards(
        tmp_path / "cards", [one_set([], None), *(one_set([n % 2], "MBARGA" if n % 2 else "X") for n in range(80))]
    )
    out = tmp_path / "trees.json"
    monkeypatch.setattr("sys.argv", ["adapters", "rerank", str(tmp_path / "cards"), "--out", str(out)])
    assert main() == 0
    trees = load_trees(out)
    said = trees.log_odds(np.array([[1.0, 1.0], [0.0, 1.0]]))
    assert trees.names == ("first", "lines") and said[0] > said[1]
    assert "trees of" in capsys.readouterr().out

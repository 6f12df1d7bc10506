"""Scores of several models in one file: each run leaves the others' rows, and each row its own run's stamp."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.evaluation import command
from adapters.evaluation.command import held_out, rows_of
from adapters.evaluation.kept_scores import keep
from adapters.evaluation.metrics import Judgement
from adapters.evaluation.summary import Card

CNI, BASE, RULES = {"cni": "cni@0"}, {"base": "SmolLM2"}, {"rules": "rules"}


def rows(model: str, exact: bool = True) -> list[dict[str, Any]]:
    field = Judgement("sex", True, exact, exact, 0 if exact else 1, 1, float(exact), True, False)
    return rows_of([Card("cni-2018-recto", "clean", model, (field,), False, {})])


def run(day: int) -> dict[str, Any]:
    return {"concurrency": 2, "commit": f"c{day}", "machine": {"processor": f"p{day}"}}


def kept(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "evaluation.json").read_text())
    return found


def test_the_base_and_the_rules_come_beside_the_adapter_and_say_their_own_run(tmp_path: Path) -> None:
    keep(tmp_path, rows("cni"), CNI, run(1))
    keep(tmp_path, rows("base", exact=False), BASE, run(2))
    keep(tmp_path, rows("rules"), RULES, run(3))
    body = kept(tmp_path)
    assert [row["model"] for row in body["rows"]] == ["cni", "cni", "rules", "rules", "base", "base"]
    assert body["models"] == CNI | BASE | RULES
    assert (body["commit"], body["beside"]) == ("c1", {"base": run(2), "rules": run(3)})
    assert "| base | all | clean | 1 | 0.0% |" in (tmp_path / "evaluation.md").read_text()


def test_the_adapter_measured_anew_leaves_them_with_the_run_that_they_are_of(tmp_path: Path) -> None:
    keep(tmp_path, rows("cni") + rows("base"), CNI | BASE, run(1))
    assert "beside" not in kept(tmp_path), "one run measured both"
    keep(tmp_path, rows("cni", exact=False), CNI, run(2))
    body = kept(tmp_path)
    assert (body["commit"], body["beside"]) == ("c2", {"base": run(1)})
    assert [(row["model"], row["fields_exact"]) for row in body["rows"]] == [
        ("cni", 0), ("cni", 0), ("base", 1), ("base", 1),
    ]  # fmt: skip


def test_scores_of_other_cards_are_dropped(tmp_path: Path) -> None:
    (tmp_path / "evaluation.json").write_text(json.dumps({"seed": 1, "models": BASE, "rows": rows("base")}))
    keep(tmp_path, rows("cni"), CNI, run(1))
    assert kept(tmp_path)["models"] == CNI and "beside" not in kept(tmp_path)


def test_the_base_alone_gives_a_revision_no_scores(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "README.md").write_text("somebody's own")
    keep(tmp_path, rows("cni"), CNI, run(1))
    keep(tmp_path, rows("base", exact=False), BASE, run(2))
    scores = json.loads((tmp_path / "manifest.json").read_text())["scores"]
    assert scores["all clean"]["fields_exact"] == 1
    assert (tmp_path / "README.md").read_text() == "somebody's own"


def test_cards_are_drawn_once_and_anew_for_another_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []

    def draw(folder: Path, count: int, **_: Any) -> None:
        drawn.append(count)
        entry = {"file": "a.png", "document": "cni-2018-recto", "condition": "clean", "values": {}}
        (folder / "cards.jsonl").write_text((json.dumps(entry) + "\n") * 12 * count)

    monkeypatch.setattr(command, "write_all", draw)
    assert [len(held_out(tmp_path, count)) for count in (1, 1, 2)] == [12, 12, 24]
    assert drawn == [1, 2]

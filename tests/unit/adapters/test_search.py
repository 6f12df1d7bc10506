"""A search is seeded, prunes, goes on after a kill as if it had not been, and keeps its table."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters import __main__ as program
from adapters.errors import AdaptersError, RecipeError
from adapters.search import table
from adapters.search.space import Space, read_space, with_point
from adapters.search.study import search
from adapters.training.recipe import Lora, Recipe
from tests.support.tiny_models import write_base

RECIPE = Recipe(name="tiny")
YAML = """
name: tiny
base: {base}
lora: {{r: 8, alpha: 8}}
data: {{documents: [cni-2025-recto], text: 16, validation: 4}}
optimization: {{batch: 4}}
evaluate_every: 2
"""


class Killed(BaseException):
    """As a kill would end it: nothing is told to optuna."""


def _figures(point: dict[str, Any], look: Callable[[int, float], bool]) -> dict[str, Any]:
    """A made-up run: the nearer r to 16 and the rate to 1e-3, the better, from the first look on."""
    fields = 1 / (1 + abs(point["r"] - 16) / 16 + abs(point["learning_rate"] - 1e-3) * 500)
    for step in range(1, 5):
        if look(step, fields * step / 4):
            return {"fields": fields * step / 4, "exact": 0.0, "pruned": True, "steps": step, "parameters": point["r"]}
    return {"fields": fields, "exact": 0.0, "pruned": False, "steps": 4, "parameters": point["r"]}


def _points(study: Any) -> list[dict[str, Any]]:
    return [trial.params for trial in study.trials if trial.user_attrs]


def test_a_search_is_seeded_and_prunes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one = search(tmp_path / "one", RECIPE, Space(), 16, _figures)
    two = search(tmp_path / "two", RECIPE, Space(), 16, _figures)
    assert _points(one) == _points(two)
    states = [trial.state.name for trial in one.trials]
    assert states.count("PRUNED") > 0
    assert set(states) == {"PRUNED", "COMPLETE"}
    other = RECIPE.model_copy(update={"seed": 5})
    assert _points(search(tmp_path / "one", other, Space(), 6, _figures)) != _points(one)[:6]


def test_a_killed_search_goes_on_as_an_unbroken_one(tmp_path: Path) -> None:
    for name in ("unbroken", "broken"):
        (tmp_path / name).mkdir()
    unbroken = search(tmp_path / "unbroken", RECIPE, Space(), 12, _figures)
    calls = [0]

    def dying(point: dict[str, Any], look: Callable[[int, float], bool]) -> dict[str, Any]:
        calls[0] += 1
        if calls[0] in {3, 9}:
            look(1, 0.1)
            raise Killed
        return _figures(point, look)

    for _ in range(2):
        with pytest.raises(Killed):
            search(tmp_path / "broken", RECIPE, Space(), 12, dying)
    journal = tmp_path / "broken/journal.log"
    journal.write_bytes(journal.read_bytes() + b'{"op_code": 4, "half')  # what a kill while writing leaves
    broken = search(tmp_path / "broken", RECIPE, Space(), 12, dying)
    assert _points(broken) == _points(unbroken)
    assert [row["fields"] for row in table.rows(broken)] == [row["fields"] for row in table.rows(unbroken)]


def test_a_point_that_cannot_be_trained_is_passed_over(tmp_path: Path) -> None:
    def narrow(point: dict[str, Any], look: Callable[[int, float], bool]) -> dict[str, Any]:
        if point["r"] == 32:
            raise RecipeError("No room for that rank.")
        return _figures(point, look)

    study = search(tmp_path, RECIPE, Space(), 12, narrow)
    refused = [trial for trial in study.trials if "refused" in trial.user_attrs]
    assert refused and len(study.trials) == 12
    assert len(table.rows(study)) == 12 - len(refused)


def test_a_search_whose_first_point_cannot_be_trained_ends(tmp_path: Path) -> None:
    def never(point: dict[str, Any], look: Callable[[int, float], bool]) -> dict[str, Any]:
        raise RecipeError("No samples.")

    with pytest.raises(AdaptersError, match=r"first point cannot be trained: No samples\."):
        search(tmp_path, RECIPE, Space(), 4, never)


def test_the_winner_at_size_is_the_best_that_is_no_larger() -> None:
    rows = [
        {"pruned": True, "fields": 0.99, "parameters": 1},
        {"pruned": False, "fields": 0.9, "parameters": 30},
        {"pruned": False, "fields": 0.8, "parameters": 10},
    ]
    best = table.winners(rows, own_size=16)
    assert best["best"] is rows[1]
    assert best["best_at_size"] is rows[2]
    assert table.winners(rows, own_size=5)["best_at_size"] is None


def test_an_adapters_parameters_are_counted_from_the_bases_shapes(tmp_path: Path) -> None:
    base = write_base(tmp_path / "base")
    assert table.parameters(base, Lora(r=4, alpha=4)) == 2 * (4 * (64 + 64) + 4 * (64 + 32))


def test_a_point_becomes_a_recipe() -> None:
    point = {"r": 4, "alpha_over_r": 2, "targets": "q_proj, o_proj", "learning_rate": 0.01}
    lora = with_point(RECIPE, point).lora
    assert (lora.r, lora.alpha, lora.targets, lora.dropout) == (4, 8, ("q_proj", "o_proj"), 0.05)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("r: []", "at r"),
        ("rank: [3]", "at rank"),
        ("learning_rate: [0.1, 0.01]", "learning_rate is"),
        ("r: [", "not YAML"),
    ],
)
def test_a_wrong_space_is_refused(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "space.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=r"space\.yaml") as refused:
        read_space(path)
    assert named in str(refused.value)


def test_the_command_searches_the_tiny_base_and_keeps_its_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    base = write_base(tmp_path / "tiny-base")
    (tmp_path / "recipe.yaml").write_text(YAML.format(base=base))
    (tmp_path / "space.yaml").write_text("r: [2, 8]\nalpha_over_r: [1, 2]\ntargets: ['q_proj,v_proj']\n")
    command = ["adapters", "search", str(tmp_path / "recipe.yaml"), "--space", str(tmp_path / "space.yaml")]
    monkeypatch.setattr("sys.argv", [*command, "--trials", "2", "--runs", str(tmp_path / "runs")])
    assert program.main() == 0
    folder = Path(capsys.readouterr().out.strip()).parent
    content = json.loads((folder / "search.json").read_text())
    assert len(content["trials"]) == 2
    assert content["best_at_size"]["parameters"] <= content["own_parameters"]
    assert (folder / "search.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "search.md").read_text().count("\n") == 4
    winner = Recipe.model_validate(yaml.safe_load((folder / "winner.yaml").read_text()))
    assert winner.lora.r == content["best_at_size"]["r"]
    assert not (folder / "trial").exists()

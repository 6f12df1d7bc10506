"""A recipe that cannot be trained from ends in one sentence that names what is wrong."""

from pathlib import Path

import pytest

from adapters.errors import RecipeError
from adapters.training.recipe_file import read_recipe


def _write(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text)
    return path


def test_the_shipped_recipe_has_the_shape_of_the_teams_adapter() -> None:
    recipe = read_recipe(Path("adapters/recipes/cni.yaml"))
    assert (recipe.lora.r, recipe.lora.alpha) == (16, 32)
    assert recipe.lora.targets == ("q_proj", "v_proj")
    assert len(recipe.data.documents) == 4


@pytest.mark.parametrize("path", sorted(Path("adapters/recipes").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_that_we_ship_can_be_read(path: Path) -> None:
    recipe = read_recipe(path)
    assert recipe.base == ("Qwen/Qwen3-0.6B" if path.stem == "cni-qwen3" else "embedded")
    assert recipe.no_thought == (path.stem == "cni-qwen3")
    assert (recipe.answer == "object") == (path.stem in ("cni-object", "cni-qwen3"))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("name: [", "not YAML"),
        ("{}", "at name"),
        ("name: ../escape", "at name"),
        ("name: a\nlora: {r: 0}", "at lora.r"),
        ("name: a\nlora: {rank: 8}", "at lora.rank"),
        ("name: a\nmethod: magic", "at method"),
        ("name: a\ndata: {documents: [passport]}", "at data.documents.0"),
        ("name: a\noptimization: {learning_rate: -1}", "at optimization.learning_rate"),
        ("name: a\ndata: {recorded: [nowhere.jsonl.gz]}", "nowhere.jsonl.gz"),
        ("just words", "the whole file"),
    ],
)
def test_a_wrong_recipe_is_refused_in_one_sentence(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(RecipeError, match=r"recipe\.yaml") as refused:
        read_recipe(_write(tmp_path, text))
    assert named in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_recipe_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="cannot be read"):
        read_recipe(tmp_path / "none.yaml")

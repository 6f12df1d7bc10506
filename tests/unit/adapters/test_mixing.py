"""Examples made into others: what an answer says stays true of the new lines."""

import random
from pathlib import Path

import pytest
import yaml

from adapters.data.given.answers import Answers
from adapters.data.given.example import Given
from adapters.data.lines import Line
from adapters.errors import DataError, RecipeError
from adapters.training import mixing
from adapters.training.contract import pieces
from adapters.training.dataset import Labelled
from adapters.training.given import chosen, given
from adapters.training.recipe import Recipe
from adapters.training.recipe_data import Data, Hardness, Source
from adapters.training.recipe_file import read_recipe
from ocr_frontend.documents.spec import parse_spec
from tests.support.receipts import receipts, write_folder

RAW = yaml.safe_load(Path("adapters/recipes/receipt/document.yaml").read_text(encoding="utf-8"))
SPEC = parse_spec(RAW)
ANSWERS = Answers(SPEC)
DRAWN = list(receipts(30, seed=8))
GIVEN = [Given(str(n), each.fields, tuple(Line(text) for text in each.texts)) for n, each in enumerate(DRAWN)]
SAMPLES = [Labelled("receipt", ANSWERS.lines(each), ANSWERS.targets(each)) for each in GIVEN]


def read(sample: Labelled) -> dict[str, str | None]:
    return ANSWERS.values(sample.lines, sample.targets)


def test_a_mixed_page_has_the_top_of_one_and_the_bottom_of_another() -> None:
    cut = 0
    for seed in range(60):
        mixed = mixing.mixed(SAMPLES[seed % 30], SAMPLES, random.Random(seed))
        values = [read(mixed)[key] for key in SPEC.keys]
        sources = [{n for n, each in enumerate(DRAWN) if each.fields[key] == value} for key, value in
                   zip(SPEC.keys, values, strict=True)]  # fmt: skip
        assert all(sources), "a value that no receipt has"
        assert seed % 30 in sources[0]
        cut += not set.intersection(*sources)
    assert cut > 40


def test_a_shorter_page_says_the_same() -> None:
    for seed in range(60):
        sample = SAMPLES[seed % 30]
        shorter = mixing.shorter(sample, random.Random(seed))
        assert read(shorter) == DRAWN[seed % 30].fields
        assert len(shorter.lines) <= len(sample.lines)


@pytest.mark.parametrize("change", [mixing.misread, mixing.recased])
def test_changed_letters_leave_the_answer_and_lines_with_a_written_value(change: object) -> None:
    assert callable(change)
    sample = Labelled("receipt", ("OLD TOWN (1-X)", "TOTAL AMOUNT", "9.00"), ("OLD TOWN", None, None, 2))
    changed = [change(sample, random.Random(seed)) for seed in range(40)]
    assert all(each.targets == sample.targets and each.lines[0] == sample.lines[0] for each in changed)
    assert len({each.lines[1] for each in changed}) > 2
    assert all(len(each.lines) == 3 and all(each.lines) for each in changed)


def recipe(**data: object) -> Recipe:
    return Recipe(name="receipt", document=RAW, data=Data.model_validate({"examples": [{"path": "r"}], **data}))


def test_every_tenth_example_judges_where_the_recipe_names_none(tmp_path: Path) -> None:
    write_folder(tmp_path / "r", 30)
    learnt, judged = given(recipe(passes=3), SPEC, tmp_path)
    assert (len(learnt), len(judged)) == (81, 3)
    assert not {sample.lines for sample in learnt[:27]} & {sample.lines for sample in judged}
    assert learnt[:27] == learnt[27:54] == learnt[54:], "nothing was asked to be made harder"


def test_passes_differ_and_are_the_same_again(tmp_path: Path) -> None:
    write_folder(tmp_path / "r", 12)
    asked = recipe(passes=2, harder=Hardness(mix=0.9, drop=0.9, recase=0.9, misread=0.9))
    learnt, _ = given(asked, SPEC, tmp_path)
    assert given(asked, SPEC, tmp_path)[0] == learnt
    assert sum(a != b for a, b in zip(learnt[:10], learnt[10:], strict=True)) >= 8


def test_lines_that_the_front_would_not_show_are_not_learnt(tmp_path: Path) -> None:
    write_folder(tmp_path / "r", 4)
    learnt, _ = given(recipe(most_lines=3), SPEC, tmp_path)
    assert all(len(sample.lines) == 3 and sample.targets[-1] is None for sample in learnt)


def test_a_range_that_is_not_there(tmp_path: Path) -> None:
    write_folder(tmp_path / "r", 4)
    with pytest.raises(DataError, match="r has 4 examples: its range 2 to 9 is not there"):
        chosen([Source(path="r", range=(2, 9))], SPEC, tmp_path)


def test_pictures_that_nobody_has_read(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "examples.jsonl").write_text('{"picture": "a.png", "fields": {}}', encoding="utf-8")
    with pytest.raises(DataError, match=r"python -m ocr_frontend lines PICTURES > lines\.jsonl"):
        given(recipe(), SPEC, tmp_path)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"recipe.yaml": "name: a\ndocument: no.yaml\n"}, "no.yaml cannot be read"),
        ({"recipe.yaml": "name: a\ndocument: d.yaml\n", "d.yaml": "name: a\ntitle: {en: A}\nfelds: []"}, "felds"),
        ({"recipe.yaml": "name: a\ndocument: d.yaml\n", "d.yaml": "name: a\ntitle: {en: A}"}, "go together"),
        ({"recipe.yaml": "name: a\ndata: {examples: [{path: x}]}\n"}, "go together"),
    ],
)
def test_a_document_file_that_is_none(tmp_path: Path, files: dict[str, str], says: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=says):
        read_recipe(tmp_path / "recipe.yaml")


def test_the_shipped_recipe_can_be_read() -> None:
    shipped = read_recipe(Path("adapters/recipes/receipt.yaml"))
    assert shipped.spec == SPEC


def test_an_object_says_what_the_types_find() -> None:
    lines = ("OLD TOWN", "DATE: 01/02/2018 10:11", "JALAN 3,", "JOHOR", "9.00")
    parts = pieces("object", "receipt", lines, (0, 1, (2, 3), "9.00"), SPEC)
    assert parts == ['"company":"OLD TOWN"', '"date":"01/02/2018"', '"address":"JALAN 3, JOHOR"', '"total":"9.00"']
    assert pieces("object", "receipt", lines, (None,) * 4, SPEC)[0] == '"company":null'

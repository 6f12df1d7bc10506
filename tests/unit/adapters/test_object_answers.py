"""Answers as JSON objects: each value in its type's form, and a tiny base that learns to write them."""

import json
from pathlib import Path

import pytest
import torch

from adapters.data.documents import DOCUMENTS
from adapters.registry.manifest import read_manifest
from adapters.training import loop, publish
from adapters.training.contract import contract, joined, pieces
from adapters.training.dataset import encode
from adapters.training.examples import prepare
from adapters.training.model import with_adapter
from adapters.training.objects import MOST, member, value
from adapters.training.recipe import Optimization, Recipe
from adapters.training.recipe_data import Data
from tests.support.tiny_models import write_base

RECIPE = Recipe(
    name="tiny-object",
    answer="object",
    no_thought=True,
    data=Data(documents=("cni-2025-recto",), text=16, hard=8, validation=4),
    optimization=Optimization(batch=4, learning_rate=5e-3),
    evaluate_every=3,
    checkpoint_every=6,
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("base") / "tiny-base")


@pytest.mark.parametrize(
    ("kind", "line", "written"),
    [
        ("date", "O1.12.199O", "01.12.1990"),
        ("date", "Né le 01,12,1990", "01.12.1990"),
        ("date", "01 12 1990", "01.12.1990"),
        ("height", "1,7O m", "1.70"),
        ("digits:9", "12345678B", "123456788"),
        ("nic", "AB1234567O", "AB12345670"),
        ("text", "NGO  É-X", "NGO  É-X"),
        ("text", "X" * 200, "X" * MOST),
    ],
)
def test_a_line_is_written_in_its_types_form(kind: str, line: str, written: str) -> None:
    assert value(kind, 0, [line]) == written  # type: ignore[arg-type]


def test_lines_that_hold_a_value_together_are_joined_and_nothing_is_null() -> None:
    lines = ["MBARGA", "PRENQMS", "ESSAMA"]
    assert value("text", (0, 2), lines) == "MBARGA ESSAMA"
    assert member("nom_surname", "text", None, lines) == '"nom_surname":null'
    assert member("sex", "sex", 1, lines) == '"sex":null'  # a line that is no sex
    assert member("taille", "height", "1,75m", lines) == '"taille":1.75'
    assert member("authorité", "text", 'A "B"', lines) == '"authorité":"A \\"B\\""'


def test_every_token_of_the_answer_belongs_to_a_field(base: Path) -> None:
    from transformers import AutoTokenizer

    document = "cni-2025-recto"
    lines, targets = ("123456789", "MBARGA", "M", "01.01.1990"), (0, 1, None, 3, 2, None)
    parts = pieces("object", document, lines, targets)
    assert json.loads(joined("object", parts)) == {
        "numero_de_carte": "123456789", "nom_surname": "MBARGA", "prenom_given_name": None,
        "date_of_birth": "01.01.1990", "sex": "M", "date_of_expiration": None,
    }  # fmt: skip
    from adapters.training.dataset import Labelled

    prompts = contract((document,), "object")
    example = encode(Labelled(document, lines, targets), prompts, AutoTokenizer.from_pretrained(base))
    assert len(example.fields) == len(DOCUMENTS[document])
    covered = {at for first, last in example.fields for at in range(first, last)}
    assert covered == set(range(len(example.tokens) - example.answer_start))


@pytest.mark.slow
def test_it_learns_and_the_revision_says_how_it_wants_to_be_asked(base: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    torch.manual_seed(1)
    model = with_adapter(base, RECIPE.lora)
    examples = prepare(RECIPE, tmp_path, AutoTokenizer.from_pretrained(base))
    assert len(examples.validation) == 8  # plain ones and hard ones
    log = loop.train(model, RECIPE, examples, tmp_path / "checkpoint", lambda log, steps: None)
    assert log.losses[-1] < log.losses[0] - 0.2
    recipe = RECIPE.model_copy(update={"base": str(base)})
    manifest = read_manifest(publish.write_revision(model, recipe, base, tmp_path, {"samples": 24}))
    assert manifest is not None
    assert manifest.prompt is not None
    assert manifest.prompt.answer == "object"
    assert manifest.prompt.suffix.endswith("<think>\n\n</think>\n\n")
    assert "{index}" not in manifest.prompt.line

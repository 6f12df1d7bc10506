"""A document file and a recipe from labelled examples."""

from pathlib import Path

import pytest
import yaml

from adapters.errors import DataError
from adapters.new_document.types import type_of
from adapters.training.given import given
from adapters.training.recipe_file import read_recipe
from ocr_frontend.documents.classify import Classifier
from ocr_frontend.documents.registry import load_documents
from ocr_frontend.ocr.textline import TextLine
from tests.support.receipts import Receipt, receipts, write_folder
from tests.support.run_command import adapters_command


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["01/02/2018", "3 MAR 2019", "17-12-18"], {"date": {"shapes": ["dmy", "dmy2", "dMy"], "as_printed": True}}),
        (["9.00", "1,234.50"], "amount"),
        (["RM 9.00", "1,234.50"], "text"),
        (["00123", "45678", "90123"], {"digits": {"count": 5}}),
        (["M", "F", "M", "F", "M", "F", "M"], {"choice": {"values": ["F", "M"]}}),
        (["OLD TOWN", "X"], "text"),
        ([], "text"),
    ],
)
def test_types_are_guessed_from_values(values: list[str], expected: object) -> None:
    assert type_of(values) == expected


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    write_folder(folder / "scans", 30)
    code, said = adapters_command("new-document", "bill", "--examples", folder / "scans", "--out", folder / "bill")
    assert code == 0
    assert "100.0% of the wanted values" in said
    return folder / "bill"


def test_fields_labels_and_marks_are_found(made: Path) -> None:
    content = yaml.safe_load((made / "documents" / "bill.yaml").read_text(encoding="utf-8"))
    fields = {field["key"]: field for field in content["fields"]}
    assert list(fields) == ["company", "date", "address", "total"]
    assert fields["total"]["type"] == "amount"
    assert "date" in fields["date"]["type"]
    assert fields["address"]["max_lines"] == 3
    assert "TOTAL" in fields["total"]["printed"]["en"]
    assert "DATE" in fields["date"]["printed"]["en"]
    assert "TAX INVOICE" in content["static"]
    assert "CASH BILL" in content["recognise"]["marks"]


def test_the_recipe_is_one_that_trains(made: Path) -> None:
    recipe = read_recipe(made / "recipe.yaml")
    assert recipe.spec is not None
    learnt, judged = given(recipe, recipe.spec, made)
    assert (len(learnt), len(judged)) == (27 * recipe.data.passes, 3)
    assert "--revision bill@REVISION" in (made / "README.md").read_text(encoding="utf-8")


def test_the_front_knows_it_by_the_file(made: Path) -> None:
    known = load_documents(made / "documents")
    assert [known.find("bill") is not None, len(known.readable)] == [True, 5]


def lines(receipt: Receipt) -> list[TextLine]:
    return [
        TextLine(text, 0.95, ((x, y), (x + 9 * len(text), y), (x + 9 * len(text), y + 18), (x, y + 18)))
        for x, y, text in receipt.rows
    ]


def test_its_pages_are_told_from_everything_else(made: Path) -> None:
    classifier = Classifier(load_documents(made / "documents"))
    for receipt in receipts(30, seed=77):
        found = classifier.detect(lines(receipt)).document
        assert found is not None
        assert found.name == "bill"


@pytest.mark.parametrize(
    ("name", "count", "says"),
    [("Receipt", 6, "cannot name"), ("cni-2018-recto", 6, "cannot name"), ("bill", 3, "at least 5")],
)
def test_what_cannot_be_made_is_one_sentence(tmp_path: Path, name: str, count: int, says: str) -> None:
    write_folder(tmp_path / "scans", count)
    with pytest.raises(DataError, match=says):
        adapters_command("new-document", name, "--examples", tmp_path / "scans", "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    write_folder(tmp_path / "scans", 6)
    with pytest.raises(DataError, match="is there already"):
        adapters_command("new-document", "bill", "--examples", tmp_path / "scans", "--out", tmp_path)

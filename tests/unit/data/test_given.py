"""Examples of people's own documents: read from folders and JSON Lines, and turned into the answers that say them."""

import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given as property_given
from hypothesis import settings
from hypothesis import strategies as st

from adapters.data.given.answers import Answers
from adapters.data.given.example import Given
from adapters.data.given.rows import by_rows
from adapters.data.given.sources import digest, read_examples
from adapters.data.lines import Line
from adapters.errors import DataError
from ocr_frontend.documents.spec import parse_spec
from ocr_frontend.extraction.assemble import assemble
from ocr_frontend.llm.answers import constraint, parse
from ocr_frontend.llm.contract import Contract
from ocr_frontend.ocr.textline import TextLine
from tests.support.receipts import receipts, write_folder

SPEC = parse_spec(yaml.safe_load(Path("adapters/recipes/receipt/document.yaml").read_text(encoding="utf-8")))
ANSWERS = Answers(SPEC)


def page(*lines: str, **fields: str | None) -> Given:
    return Given("one", fields, tuple(Line(line) for line in lines))


def targets(*lines: str, **fields: str | None) -> dict[str, object]:
    return dict(zip(SPEC.keys, ANSWERS.targets(page(*lines, **fields)), strict=True))


def test_a_line_several_lines_and_a_part_of_a_line() -> None:
    lines = ("OLD TOWN", "BOOKS SDN BHD", "NO 3, JALAN MAWAR,", "JOHOR.", "12/03/2018 10:11", "TOTAL: RM9.00")
    assert targets(
        *lines,
        company="OLD TOWN BOOKS SDN BHD",
        date="12/03/2018",
        address="NO 3, JALAN MAWAR, JOHOR.",
        total="9.00",
    ) == {"company": (0, 1), "date": 4, "address": (2, 3), "total": "9.00"}


def test_of_equal_amounts_the_one_under_its_own_label() -> None:
    assert targets("CASH", "9.00", "TOTAL", "9.00", "CHANGE", "9.00", total="9.00")["total"] == 3


def test_lines_that_nearly_say_the_value_stand_for_it() -> None:
    lines = ("DLD TOWN BOOKS SDN BND", "(12345-X)", "NO 3 JALAN MAWAR.", "SETAPAK")
    found = targets(*lines, company="OLD TOWN BOOKS SDN BHD", address="NO 3, JALAN MAWAR, SETAPAK")
    assert found["company"] == 0
    assert found["address"] == (2, 3)


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_value_that_is_not_there_is_null(value: str | None) -> None:
    assert targets("TOTAL", "9.00", total=value)["total"] is None


def test_an_amount_that_was_read_nowhere_is_not_guessed() -> None:
    assert targets("TOTAL", "90.00", "9.0", total="9.00")["total"] is None


@pytest.mark.parametrize("number", range(40))
def test_what_training_calls_right_comes_out_of_the_front(number: int) -> None:
    """Rules, labels and grammar of the front included: the ceiling of drawn receipts is whole."""
    receipt = list(receipts(40))[number]
    given = Given("one", receipt.fields, tuple(Line(text) for text in receipt.texts))
    lines, found = ANSWERS.lines(given), ANSWERS.targets(given)
    assert ANSWERS.values(lines, found) == receipt.fields
    assert _served(receipt.rows, found) == receipt.fields


def _served(rows: tuple[tuple[int, int, str], ...], found: tuple[object, ...]) -> dict[str, object]:
    from adapters.training.contract import contract
    from ocr_frontend.documents.classify import Detection
    from ocr_frontend.extraction.llm_step import Answer
    from ocr_frontend.llm.client import Completion, Usage
    from ocr_frontend.llm.prompt import render

    raw = yaml.safe_load(Path("adapters/recipes/receipt/document.yaml").read_text(encoding="utf-8"))
    served = Contract.model_validate(contract((), own=raw).model_dump(by_alias=True))
    box = [((x, y), (x + 10 * len(text), y), (x + 10 * len(text), y + 18), (x, y + 18)) for x, y, text in rows]
    lines = [TextLine(text, 0.99, place) for (_, _, text), place in zip(rows, box, strict=True)]
    text = json.dumps(found, separators=(",", ":"))
    asked = served.of("receipt")
    assert asked.spec is not None
    assert re.fullmatch(constraint(served, asked, asked.spec, len(lines)), text)
    completion = Completion(text=text, model="receipt@0", usage=Usage(), tokens=None, complete=True)
    answer = Answer(completion, render(served, "receipt", lines, 80), parse(text, served, asked), {})
    fields = assemble(asked.spec, answer, lines, Detection(asked.spec), None).fields
    return {key: field.resolved.value for key, field in fields.items()}


def test_a_folder_of_scans(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "receipts", 3)
    before = digest(folder)
    found = list(read_examples(folder, SPEC))
    assert [example.name for example in found] == ["000", "001", "002"]
    assert [line.text for line in found[0].lines] == next(receipts(3)).texts
    (folder / "key" / "000.json").write_text('{"total": "1.00"}')
    assert digest(folder) != before


def test_rows_are_told_by_the_height_of_their_writing() -> None:
    def line(text: str, x: float, y: float, high: float) -> Line:
        return Line(text, polygon=((x, y), (x + 50, y), (x + 50, y + high), (x, y + high)))

    small = [line("b", 90, 102, 20), line("c", 0, 130, 20), line("a", 0, 100, 20)]
    large = [line(each.text, each.polygon[0][0] * 4, each.polygon[0][1] * 4, 80) for each in small]
    assert [each.text for each in by_rows(small)] == [each.text for each in by_rows(large)] == ["a", "b", "c"]


def test_json_lines_with_lines_or_pictures(tmp_path: Path) -> None:
    rows = [
        {"lines": ["TOTAL", {"text": "9.00", "box": [[0, 0], [1, 0], [1, 1], [0, 1]]}], "fields": {"total": "9.00"}},
        {"picture": "img/a.png", "fields": {"total": None}},
        {"document": "another", "lines": ["X"], "fields": {"nothing": "of ours"}},
    ]
    (tmp_path / "examples.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    read = {"file": "a.png", "lines": [{"text": "THANK YOU", "confidence": 0.9, "box": [[0, 0]] * 4}]}
    (tmp_path / "lines.jsonl").write_text(json.dumps(read), encoding="utf-8")
    first, second = read_examples(tmp_path, SPEC)
    assert ANSWERS.targets(first) == (None, None, None, 1)
    assert [line.text for line in second.lines] == ["THANK YOU"]
    assert second.fields == {"total": None}


def test_exported_corrections_bring_their_answers(tmp_path: Path) -> None:
    row = {
        "id": "a",
        "document": "receipt",
        "lines": ["SHOP", " ", "9.00"],
        "targets": [[0], None, None, 2],
        "corrections": [],
    }
    path = tmp_path / "corrections.jsonl"
    path.write_text(json.dumps(row), encoding="utf-8")
    [found] = read_examples(path, SPEC)
    assert ANSWERS.targets(found) == (0, None, None, 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "line 1, is not a JSON object"),
        ('{"fields": {}}', "neither lines nor a picture"),
        ('{"lines": ["A"], "fields": {"totl": "1"}}', "no field totl"),
        ('{"lines": ["A"]}', "fields"),
        ('{"lines": [1], "fields": {}}', "line 1"),
        ('{"document": "receipt", "lines": ["A"], "targets": [0]}', "one target a field"),
        ('{"lines": ["A"], "targets": [7, null, null, null]}', "not there"),
    ],
)
def test_a_broken_row_is_one_sentence(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "examples.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=says):
        list(read_examples(path, SPEC))


def test_a_path_without_examples_says_what_would_be_some(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neither a file of examples"):
        list(read_examples(tmp_path / "nothing", SPEC))


LINE = st.text(alphabet="AB 19.,/:TOTALRM", min_size=1, max_size=14)


@settings(max_examples=80, deadline=None)
@property_given(st.lists(LINE, min_size=1, max_size=8), st.fixed_dictionaries(dict.fromkeys(SPEC.keys, LINE)))
def test_any_answer_is_one_that_the_grammar_admits(lines: list[str], fields: dict[str, str]) -> None:
    example = page(*lines, **fields)
    shown, found = ANSWERS.lines(example), ANSWERS.targets(example)
    for target in found:
        numbers = target if isinstance(target, tuple) else (target,) if isinstance(target, int) else ()
        assert all(0 <= number < len(shown) for number in numbers)
        assert list(numbers) == sorted(set(numbers))
        assert len(numbers) <= 5

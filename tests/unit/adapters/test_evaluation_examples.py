"""Scores on labelled examples: the published protocol, letters alone, the ceiling; answers are read strictly."""

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from adapters.errors import EvaluationError
from adapters.evaluation.examples.ask import read_answer
from adapters.evaluation.examples.scores import Outcome, markdown, table
from adapters.training.contract import contract
from tests.support.receipts import receipts, write_folder
from tests.support.run_command import adapters_command

RAW = yaml.safe_load(Path("adapters/recipes/receipt/document.yaml").read_text(encoding="utf-8"))
LINES = contract((), own=RAW)
OBJECT = contract((), "object", own=RAW)


def outcome(wanted: str | None, answered: str | None, best: str | None = None) -> Outcome:
    return Outcome({"a": wanted}, {"a": answered}, {"a": best or wanted})


def test_f1_is_right_over_answered_and_wanted() -> None:
    rows = table([outcome("X", "X"), outcome("Y", "Z"), outcome("W", None), outcome(None, "V")], ["a"])
    assert rows[0]["f1"] == pytest.approx(2 * 1 / (3 + 3))
    assert rows[0]["exact"] == 0.25
    assert rows[0]["wanted"] == 3


def test_an_empty_field_that_is_wanted_empty_is_exact_and_counts_nothing_in_f1() -> None:
    row = table([outcome(None, None), outcome("X", "X")], ["a"])[0]
    assert (row["f1"], row["exact"], row["wanted"]) == (1.0, 1.0, 1)


def test_signs_blanks_and_case_are_left_out_of_letters_alone() -> None:
    row = table([outcome("NO.53, JALAN BESAR", "No. 53 Jalan Besar", "NO.53, JALAN BESAR.")], ["a"])[0]
    assert (row["f1"], row["f1_letters"], row["ceiling"], row["ceiling_letters"]) == (0.0, 1.0, 0.0, 1.0)


def test_the_last_row_is_of_all_fields_and_whole_examples() -> None:
    good = Outcome({"a": "X", "b": "Y"}, {"a": "X", "b": "Y"}, {}, seconds=1.0)
    bad = Outcome({"a": "X", "b": "Y"}, {"a": "X"}, {}, invalid=True, seconds=3.0)
    last = table([good, bad], ["a", "b"])[-1]
    assert (last["field"], last["examples_exact"], last["invalid"], last["p50_seconds"]) == ("all", 0.5, 0.5, 2.0)
    assert "| all |" in markdown(table([good, bad], ["a", "b"]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[0,1,[2,3],"9.00"]', [0, 1, (2, 3), "9.00"]),
        ("[0,null,null,null]", [0, None, None, None]),
        ("[0,1,2]", None),
        ("[0,1,2,9]", None),
        ("[0,1,[],3]", None),
        ("[0,1,[true],3]", None),
        ("[0,1,2.5,3]", None),
        ('{"company": 0}', None),
        ("[0,1,", None),
    ],
)
def test_an_answer_that_is_none_is_nothing(text: str, expected: object) -> None:
    assert read_answer(text, LINES, "receipt", 5) == expected


def test_an_object_is_read_by_its_keys() -> None:
    assert read_answer('{"total":"9.00","company":null}', OBJECT, "receipt", 5) == [None, None, None, "9.00"]


class _Server(BaseHTTPRequestHandler):
    """A model server that says the same of every prompt; a front that gets every second total wrong, less surely."""

    def do_GET(self) -> None:
        card = {"id": "receipt", "root": "receipt@0123456789ab", "prompt": LINES.model_dump(by_alias=True)}
        self._say({"data": [card]})

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/v1/completions":
            self._say({"choices": [{"text": "[0,null,null,null]"}]})
            return
        if self.path == "/v1/extract-lines":
            self._say(_of_lines(json.loads(sent)))
            return
        number = int(re.search(rb'filename="(\d+)', sent).group(1))  # type: ignore[union-attr]
        receipt = list(receipts(number + 1))[number]
        wrong = {"total": "0.01"} if number % 2 else {}
        fields = {key: {"evidence": {"model": 1.0 if key in wrong else 6.0}} for key in receipt.fields}
        lines = [{"text": text} for text in receipt.texts]
        data = {**receipt.fields, **wrong}
        self._say({"data": data, "fields": fields, "ocr": {"lines": lines}, "model": "receipt@0123456789ab"})

    def _say(self, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(422 if "error" in body else 200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def _of_lines(sent: dict[str, Any]) -> dict[str, Any]:
    """The first line is the company; boxes are sent where the example has them; a page of one line is refused."""
    assert (sent["document"], sent["model"]) == ("receipt", "receipt")
    assert all(set(line) == ({"text", "confidence", "box"} if "PLACED" in line["text"] else {"text", "confidence"})
               for line in sent["lines"])  # fmt: skip
    if len(sent["lines"]) == 1:
        return {"error": {"code": "unprocessable", "message": "`lines` takes more than one."}}
    data = {"company": sent["lines"][0]["text"], "date": None, "address": None, "total": None}
    return {"data": data, "fields": {}, "ocr": {"lines": sent["lines"]}, "model": "receipt@0123456789ab"}


@pytest.fixture
def server() -> Iterator[str]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    write_folder(tmp_path / "receipts", 6, pictures=True)
    content = {"name": "receipt", "document": RAW, "data": {"examples": [{"path": "receipts"}]}}
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def test_given_lines_are_asked_of_a_server(server: str, recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, said = adapters_command("evaluate-examples", recipe, "--server", server, "--range", 0, 6, "--out", out)
    assert code == 0, said
    kept = json.loads((out / "examples-given-lines.json").read_text())
    assert (kept["model"], kept["examples"], kept["rows"][-1]["ceiling"]) == ("receipt@0123456789ab", 6, 1.0)
    assert all(value not in json.dumps(kept) for value in next(receipts(1)).fields.values())


def test_pictures_go_through_the_front_and_a_worse_revision_is_told(
    server: str, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("evaluate-examples", recipe, "--front", server, "--out", tmp_path / "out")
    assert adapters_command(*asked)[0] == 0
    kept = json.loads((tmp_path / "out" / "examples-pictures-own-OCR.json").read_text())
    assert (kept["examples"], kept["rows"][-1]["f1"]) == (1, 1.0)
    floor = tmp_path / "floor.json"
    floor.write_text(json.dumps({"rows": [{"f1": 1.0}]}))
    worse = (*asked[:2], "--server", server, "--out", tmp_path / "other", "--floor", floor)
    code, said = adapters_command(*worse)
    assert (code, "worse" in said) == (3, True)
    assert adapters_command(*asked, "--floor", floor)[0] == 0
    (tmp_path / "registry/receipt/0123").mkdir(parents=True)
    floor.rename(tmp_path / "registry/receipt/0123/examples-given-lines.json")
    monkeypatch.setenv("SERVER_ADAPTERS_DIR", str(tmp_path / "registry"))
    assert adapters_command(*worse[:-1], "receipt@0123")[0] == 3, "a revision's scores by the same protocol"


def _rows(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_given_lines_go_through_the_front_in_the_place_of_pictures(server: str, recipe: Path, tmp_path: Path) -> None:
    box = [[0, 0], [9, 0], [9, 9], [0, 9]]
    placed = [{"text": text, "confidence": 0.5, "box": box} for text in ("OLD PLACED", "PLACED 9.00")]
    path = _rows(
        tmp_path / "given.jsonl",
        {"id": "a", "fields": {"company": "OLD TOWN", "total": "9.00"}, "lines": ["OLD TOWN", "9.00"]},
        {"id": "b", "fields": {"company": "OLD PLACED", "total": "9.00"}, "lines": placed},
        {"id": "c", "document": "receipt", "lines": ["OLD TOWN", "", "9.00"], "targets": [0, None, None, 2]},
    )
    asked = ("evaluate-examples", recipe, "--front", server, "--given-lines", "--out", tmp_path / "out")
    code, said = adapters_command(*asked, "--examples", path)
    assert code == 0, said
    kept = json.loads((tmp_path / "out" / "examples-given-lines-fronts-rules.json").read_text())
    assert (kept["protocol"], kept["model"]) == ("given lines, front's rules", "receipt@0123456789ab")
    rows = {row["field"]: row for row in kept["rows"]}
    assert (rows["company"]["exact"], rows["total"]["exact"], rows["all"]["ceiling"]) == (1.0, 0.0, 1.0)
    assert kept["examples"] == 3 and "OLD" not in json.dumps(kept)


def test_lines_that_the_front_does_not_take_are_no_score(server: str, recipe: Path, tmp_path: Path) -> None:
    path = _rows(tmp_path / "given.jsonl", {"id": "a", "fields": {"company": "OLD"}, "lines": ["OLD"]})
    asked = ("evaluate-examples", recipe, "--examples", path, "--out", tmp_path / "out")
    with pytest.raises(EvaluationError, match="422 unprocessable: `lines` takes more than one"):
        adapters_command(*asked, "--front", server, "--given-lines")
    with pytest.raises(EvaluationError, match="--given-lines is for --front"):
        adapters_command(*asked, "--ceiling", "--given-lines")


def test_the_ceiling_asks_nobody(recipe: Path, tmp_path: Path) -> None:
    without = ([text for text in each.texts if each.fields["total"] not in text] for each in receipts(6))
    read = [{"file": f"{n:03d}.png", "lines": [{"text": text} for text in texts]} for n, texts in enumerate(without)]
    (tmp_path / "other.jsonl").write_text("\n".join(map(json.dumps, read)), encoding="utf-8")
    asked = ("evaluate-examples", recipe, "--ceiling", "--range", 0, 6, "--out", tmp_path / "out")
    assert adapters_command(*asked)[0] == 0
    assert adapters_command(*asked, "--lines", tmp_path / "other.jsonl")[0] == 0
    rows = [json.loads(path.read_text())["rows"] for path in sorted((tmp_path / "out").iterdir())]
    assert sorted(each[-1]["exact"] for each in rows) == [0.75, 1.0]


def test_exported_corrections_are_examples_too(server: str, recipe: Path, tmp_path: Path) -> None:
    """The server names the first line as the company, and nothing else."""
    row = {"id": "a", "document": "receipt", "lines": ["OLD TOWN", "", "9.00"], "targets": [0, None, None, 2]}
    path = tmp_path / "corrections.jsonl"
    path.write_text(json.dumps(row), encoding="utf-8")
    asked = ("evaluate-examples", recipe, "--server", server, "--examples", path, "--out", tmp_path / "out")
    assert adapters_command(*asked)[0] == 0
    rows = json.loads((tmp_path / "out" / "examples-given-lines.json").read_text())["rows"]
    assert {row["field"]: row["exact"] for row in rows} == {
        "company": 1.0, "date": 1.0, "address": 1.0, "total": 0.0, "all": 0.75,
    }  # fmt: skip


def test_a_server_without_the_adapter_is_one_sentence(server: str, recipe: Path) -> None:
    with pytest.raises(EvaluationError, match="serves no adapter other with a contract"):
        adapters_command("evaluate-examples", recipe, "--server", server, "--model", "other")


def test_confidence_is_learnt_from_examples(server: str, recipe: Path, tmp_path: Path) -> None:
    write_folder(tmp_path / "receipts", 44, pictures=True)
    out = tmp_path / "calibration.json"
    asked = ("calibrate", "--recipe", recipe, "--front", server, "--out", out, "--report", tmp_path / "none")
    code, said = adapters_command(*asked, "--range", 0, 44)
    assert code == 0, said
    kept = json.loads(out.read_text())["models"]["receipt@0123456789ab"]
    assert (kept["cards"], kept["weights"]["model"] > 0.1) == (44, True)
    with pytest.raises(EvaluationError, match="too few to learn from"):
        adapters_command(*asked)

"""The example client is held against the front's own description, and does what it says when the front refuses.

The notebook runs against canned answers here, against the services in tests/e2e/test_whole_path.py.
"""

import ast
import importlib.util
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from ocr_frontend.api.given_lines import SentLines
from ocr_frontend.bodies.schemas import Extraction
from tests.support.notebook import code_cells, run_notebook

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ANSWER = {
    "document": "cni-2018-recto", "model": "cni@0", "data": {"sex": "F"}, "warnings": [], "needs_review": True,
    "fields": {"sex": {"needs_review": True}, "taille": {"needs_review": False}},
}  # fmt: skip


NOTEBOOK = EXAMPLES / "read_a_card.ipynb"
BOX = [[20, 20], [90, 20], [90, 40], [20, 40]]
ROUTES = {
    "/ready": {},
    "/v1/extract": ANSWER
    | {
        "data": {"sex": "F", "taille": None},
        "fields": {
            "sex": {"value": "F", "confidence": 0.5, "needs_review": True, "box": BOX},
            "taille": {"value": None, "confidence": None, "needs_review": False, "box": None},
        },
        "ocr": {"lines": [{"text": "SEXE/SEX"}, {"text": " "}, {"text": "F"}]},
    },
    "/v1/extract-lines": ANSWER,
    "/v1/models": {
        "data": [
            {"id": "base"},
            {
                "id": "cni",
                "prompt": {
                    "line": "{text} {index}\n", "suffix": "END",
                    "documents": {"cni-2018-recto": {"prefix": "BEGIN\n", "fields": ["sex", "taille"]}},
                },
            },
        ]
    },
    "/v1/completions": {"model": "cni@0", "choices": [{"text": "[1,null]"}]},
}  # fmt: skip


@pytest.fixture(scope="module")
def client() -> ModuleType:
    spec = importlib.util.spec_from_file_location("example_cni_client", EXAMPLES / "cni_client.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def front() -> Iterator[tuple[str, list[tuple[int, object]]]]:
    """An address that gives these answers, one after the other."""
    answers: list[tuple[int, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            status, body = answers.pop(0)
            self.send_response(status)
            self.send_header("retry-after", "0")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", answers
    server.shutdown()
    server.server_close()


def test_what_it_takes_from_an_answer_is_in_every_answer(client: ModuleType) -> None:
    schema = Extraction.model_json_schema()
    assert set(client.Card.__annotations__) - {"whole"} <= set(schema["properties"])
    assert "needs_review" in schema["$defs"]["FieldAnswer"]["properties"]


def test_it_waits_while_the_front_is_busy(client: ModuleType, front: tuple[str, list[tuple[int, object]]]) -> None:
    address, answers = front
    answers += [(503, {}), (429, {}), (200, ANSWER)]
    with client.Client(address) as reader:
        card = reader.read(EXAMPLES.parent / "docs/sample-2018-recto.jpg")
    assert (card.data, card.to_check, answers) == ({"sex": "F"}, ["sex"], [])


def test_lines_of_another_ocr_are_read_too(client: ModuleType, services: tuple[str, dict[str, bytes]]) -> None:
    address, sent = services
    with client.Client(address) as reader:
        card = reader.read_lines([{"text": "SEXE/SEX"}, {"text": "F"}], size=[100, 60])
    body = json.loads(sent["/v1/extract-lines"])
    assert card.data == {"sex": "F"} and SentLines.model_validate_json(json.dumps(body)).page().size[1] > 30
    assert (body["document"], body["size"]) == ("auto", [100, 60])


def test_a_refusal_has_its_code(client: ModuleType, front: tuple[str, list[tuple[int, object]]]) -> None:
    address, answers = front
    answers.append((415, {"error": {"code": "not_an_image", "message": "The file is not an image."}}))
    with client.Client(address) as reader, pytest.raises(client.Refused, match="not an image") as refusal:
        reader.read(EXAMPLES / "README.md")
    assert (refusal.value.status, refusal.value.code) == (415, "not_an_image")


@pytest.fixture
def services() -> Iterator[tuple[str, dict[str, bytes]]]:
    """One address for front and model server, with canned answers; and what was sent to each path last."""
    sent: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent[self.path] = self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(ROUTES[self.path]).encode())

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", sent
    server.shutdown()
    server.server_close()


def test_the_notebook_is_kept_without_what_it_showed() -> None:
    """Outputs would be pictures in git, and a reading of some day."""
    for cell in code_cells(NOTEBOOK):
        assert cell["outputs"] == [] and cell["execution_count"] is None
        ast.parse("".join(cell["source"]))  # plain Python: no line for a shell


def test_the_notebook_reads_a_card_and_asks_the_adapter(services: tuple[str, dict[str, bytes]]) -> None:
    address, sent = services
    done = run_notebook(NOTEBOOK, FRONT=address, SERVER=address)
    assert done.returncode == 0, done.stderr
    said = [line.split() for line in done.stdout.splitlines()]
    assert ["OCR", "front:", "ready"] in said and ["sex", "F", "50%", "check", "it"] in said and ["taille", "-"] in said
    asked = json.loads(sent["/v1/completions"])
    assert (asked["model"], asked["prompt"]) == ("cni", "BEGIN\nSEXE/SEX 0\nF 1\nEND")
    assert said[-3:] == [["cni@0:", "[1,null]"], ["sex", "F"], ["taille", "None"]]


def test_what_the_notebook_takes_is_in_every_answer() -> None:
    schema = Extraction.model_json_schema()
    assert {"value", "confidence", "box"} <= set(schema["$defs"]["FieldAnswer"]["properties"])
    assert "ocr" in schema["properties"]

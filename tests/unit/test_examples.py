"""The example client is held against the front's own description, and does what it says when the front refuses.

The notebook runs against canned answers here, against the services in tests/e2e/test_whole_path.py.
"""

import ast
import importlib.util
import json
import runpy
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, get_args

import httpx
import pytest
from fastapi import FastAPI

from ocr_frontend.api.given_lines import SentLines
from ocr_frontend.api.routes import cards, jobs
from ocr_frontend.bodies.schemas import Extraction
from ocr_frontend.extraction.two_sided import Card
from ocr_frontend.jobs.bodies import JobAnswer, State
from tests.support.notebook import code_cells, run_notebook

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ANSWER = {
    "document": "cni-2018-recto", "model": "cni@0", "data": {"sex": "F"}, "warnings": [], "needs_review": True,
    "fields": {"sex": {"needs_review": True}, "taille": {"needs_review": False}},
}  # fmt: skip


SAMPLE = EXAMPLES.parent / "docs/sample-2018-recto.jpg"
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
    "/v1/cards": {"document": "cni-2018", "data": {"sex": "F"}, "sides": {"recto": ANSWER}, "warnings": []},
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


def test_what_it_takes_of_both_sides_and_of_jobs_is_in_every_answer(client: ModuleType) -> None:
    both, job = Card.model_json_schema(), JobAnswer.model_json_schema()
    assert set(client.BothSides.__annotations__) - {"whole"} <= set(both["properties"])
    assert {"id", "state", "results", "next"} <= set(job["properties"]) and "done" in get_args(State)
    assert {"number", "answer", "error"} <= set(job["$defs"]["JobResult"]["properties"])
    paths = openapi()
    assert {"recto", "verso", "version", "model"} <= set(_form(paths["/v1/cards"]["post"]))
    assert {"image", "document", "model"} <= set(_form(paths["/v1/jobs"]["post"]))
    assert {"limit"} <= {each["name"] for each in paths["/v1/jobs/{job_id}"]["get"]["parameters"]}
    assert "delete" in paths["/v1/jobs/{job_id}"]


def _form(operation: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = operation["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    return found


def openapi() -> dict[str, Any]:
    app = FastAPI()
    for routes in (cards, jobs):
        app.include_router(routes.router)
    found: dict[str, Any] = app.openapi()["paths"]
    return found


def test_both_sides_of_a_card(client: ModuleType, services: tuple[str, dict[str, bytes]]) -> None:
    address, sent = services
    with client.Client(address, key="k") as reader:
        both = reader.read_both(SAMPLE, SAMPLE, version="2018")
    assert (both.document, both.data, list(both.sides)) == ("cni-2018", {"sex": "F"}, ["recto"])
    body = sent["/v1/cards"]
    assert all(f'name="{part}"'.encode() in body for part in ("recto", "verso", "version"))


def test_many_pictures_in_one_job_that_is_gone_afterwards(client: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked until it is done, then page by page; a busy front does not make two jobs of one."""
    pages = {0: ([{"number": 0, "answer": ANSWER}], 1), 1: ([{"number": 1, "error": {"code": "no_text_found"}}], None)}
    asked: list[tuple[str, str]] = []
    states, posts = ["queued", "running", "done"], [503, 202]

    def front(request: httpx.Request) -> httpx.Response:
        asked.append((request.method, str(request.url.raw_path, "ascii")))
        if request.method == "POST":
            keys.add(request.headers["idempotency-key"])
            assert request.content.count(b'name="image"') == 2
            return httpx.Response(posts.pop(0), json={"id": "J", "state": "queued"}, headers={"retry-after": "0"})
        if request.method == "DELETE":
            return httpx.Response(204)
        if "limit" in request.url.params:
            return httpx.Response(200, json={"id": "J", "state": states.pop(0), "results": [], "next": None})
        results, following = pages[int(request.url.params["from"])]
        return httpx.Response(200, json={"id": "J", "state": "done", "results": results, "next": following})

    keys: set[str] = set()
    monkeypatch.setattr(client, "_POLL", 0)
    with client.Client("http://front") as reader:
        reader._http = httpx.Client(base_url="http://front", transport=httpx.MockTransport(front))
        results = reader.read_many([SAMPLE, SAMPLE])
        assert [each["number"] for each in results] == [0, 1] and results[1]["error"]["code"] == "no_text_found"
        assert asked[-1] == ("DELETE", "/v1/jobs/J") and len(keys) == 1 and not states
        states[:], posts[:] = ["running"] * 3, [202]
        with pytest.raises(TimeoutError, match="/v1/jobs/J is not done"):
            reader.read_many([SAMPLE, SAMPLE], seconds=-1)


@pytest.mark.parametrize(("more", "key"), [((), "none-needed-on-loopback"), (("--key", "mine"), "mine")])
def test_the_model_server_is_asked_with_a_key(
    more: tuple[str, ...], key: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[dict[str, str]] = []

    class OpenAI:
        """The package's client as far as the example goes."""

        def __init__(self, **given: str) -> None:
            made.append(given)
            self.models = SimpleNamespace(list=lambda: [SimpleNamespace(id=name) for name in ("base", "cni", "cni@0")])
            self.completions = SimpleNamespace(create=lambda model, **_: SimpleNamespace(
                model=model, choices=[SimpleNamespace(text="x")]))  # fmt: skip

    monkeypatch.setitem(sys.modules, "openai", SimpleNamespace(OpenAI=OpenAI))
    monkeypatch.setattr("sys.argv", ["ask_model_server.py", "http://server", *more])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(EXAMPLES / "ask_model_server.py"), run_name="__main__")
    assert ended.value.code == 0 and made == [{"base_url": "http://server/v1", "api_key": key}]
    assert capsys.readouterr().out.splitlines() == ["models: base, cni", "base: 'x'", "cni: 'x'"]


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

"""The example client is held against the front's own description, and does what it says when the front refuses."""

import importlib.util
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from ocr_frontend.bodies.schemas import Extraction

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ANSWER = {
    "document": "cni-2018-recto", "model": "cni@0", "data": {"sex": "F"}, "warnings": [], "needs_review": True,
    "fields": {"sex": {"needs_review": True}, "taille": {"needs_review": False}},
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


def test_a_refusal_has_its_code(client: ModuleType, front: tuple[str, list[tuple[int, object]]]) -> None:
    address, answers = front
    answers.append((415, {"error": {"code": "not_an_image", "message": "The file is not an image."}}))
    with client.Client(address) as reader, pytest.raises(client.Refused, match="not an image") as refusal:
        reader.read(EXAMPLES / "README.md")
    assert (refusal.value.status, refusal.value.code) == (415, "not_an_image")

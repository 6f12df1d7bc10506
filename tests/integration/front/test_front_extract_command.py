"""`python -m ocr_frontend extract`: a folder in, a table or a file out, one sentence a failure."""

import csv
import io
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import uvicorn

from ocr_frontend.api.app import create_app
from ocr_frontend.cli.extract.output import Record, Writer
from ocr_frontend.cli.main import main
from ocr_frontend.settings import Settings
from tests.integration.front.fakes import CONTRACT, RECTO_ANSWER, RECTO_TEXT, FakeReader, picture


class _Server(BaseHTTPRequestHandler):
    """A model server on a port."""

    def do_GET(self) -> None:
        self._answer({"data": [{"id": "cni", "parent": "base", "prompt": CONTRACT}]})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        choice = {"text": RECTO_ANSWER, "finish_reason": "stop"}
        self._answer({"model": "cni@1f3c9a2b4d5e", "choices": [choice], "usage": {}})

    def _answer(self, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a model server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_address[1]}"
        http.shutdown()


@pytest.fixture(autouse=True)
def _reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ocr_frontend.api.service.PaddleReader", lambda *_: FakeReader(*RECTO_TEXT))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two cards and a file that is none."""
    cards = tmp_path / "cards"
    cards.mkdir()
    for name in ("a.jpg", "c.jpg"):
        (cards / name).write_bytes(picture())
    (cards / "b.png").write_bytes(b"no picture")
    return cards


def extract(server: str, *arguments: object) -> int:
    return main(["extract", "--server-url", server, "--document", "cni-2018-recto", *map(str, arguments)])


def test_a_table_for_a_person(server: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert extract(server, folder / "a.jpg") == 0
    shown = capsys.readouterr().out
    assert "NGO MBARGA" in shown and "nom_surname" in shown and "cni@1f3c9a2b4d5e" in shown


def test_json_lines_and_one_sentence_a_failure(server: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert extract(server, folder, folder / "gone.jpg", "--format", "jsonl") == 1
    out, err = capsys.readouterr()
    records = [json.loads(line) for line in out.splitlines()]
    assert [Path(record["file"]).name for record in records] == ["a.jpg", "b.png", "c.jpg", "gone.jpg"]
    assert records[0]["answer"]["data"]["nom_surname"] == "NGO MBARGA" and "error" in records[1]
    assert "b.png: " in err and "gone.jpg: The file cannot be opened" in err and "Traceback" not in err


def test_csv_and_json_into_a_file(server: str, folder: Path) -> None:
    assert extract(server, folder, "--format", "csv", "--out", folder / "out.csv") == 1
    rows = list(csv.DictReader(io.StringIO((folder / "out.csv").read_text("utf-8"))))
    assert rows[0]["taille"] == "1.66" and rows[0]["pere_father"] == "" and rows[1]["error"]
    assert extract(server, folder / "a.jpg", folder / "c.jpg", "--format", "json", "--out", folder / "out.json") == 0
    assert len(json.loads((folder / "out.json").read_text("utf-8"))) == 2


def test_fields_of_any_document_find_a_place_in_the_sheet() -> None:
    out = io.StringIO()
    writer = Writer("csv", out)
    body = {"document": "permit", "model": "m", "fields": {}, "warnings": []}
    for data in ({"seat": "4"}, {"taille": 1.7, "gate": "=B"}):
        writer.write(Record("a.jpg", body | {"data": data}))
    first, second = csv.DictReader(io.StringIO(out.getvalue()))
    assert first["seat"] == "4" and second["taille"] == "1.7" and json.loads(second["other_fields"]) == {"gate": "=B"}


def test_usage(server: str, tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert extract(server, empty) == 2
    assert extract(server, folder, "--out", tmp_path / "no" / "where") == 2
    assert "No such file or directory" in capsys.readouterr().err
    assert main(["extract", "--document", "passport", "--server-url", server, str(folder / "a.jpg")]) == 1
    assert "Unknown document" in capsys.readouterr().err
    assert (
        main(["extract", "--server-url", "http://127.0.0.1:9", "--document", "cni-2018-recto", str(folder / "a.jpg")])
        == 1
    )
    assert "The model server cannot be reached." in capsys.readouterr().err


def test_a_running_front(
    server: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(Settings(ocr_workers=1, server_url=server, keys="the-key"), ocr=lambda: FakeReader(*RECTO_TEXT))
    front = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
    thread = threading.Thread(target=front.run)
    thread.start()
    try:
        while not front.started or not app.state.service.pool.ready:
            time.sleep(0.01)
        url = f"http://127.0.0.1:{front.servers[0].sockets[0].getsockname()[1]}"
        command = ["extract", "--url", url, "--document", "cni-2018-recto", "--format", "jsonl", str(folder / "a.jpg")]
        assert main(command) == 1
        assert "This route takes a key" in capsys.readouterr().err
        monkeypatch.setenv("OCR_FRONT_CLIENT_KEY", "the-key")
        assert main(command) == 0
        assert json.loads(capsys.readouterr().out)["answer"]["data"]["sex"] == "F"
    finally:
        front.should_exit = True
        thread.join(20)
    assert main(command) == 1
    assert "The front does not answer" in capsys.readouterr().err

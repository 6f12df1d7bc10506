"""A document that the front has never heard of: by a file in a folder, or in a model's contract; no Python."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
import yaml

import ocr_frontend
from adapters.data.documents import DocumentName
from ocr_frontend.documents.registry import DocumentError, builtin, load_documents
from ocr_frontend.settings import SettingsError
from tests.integration.front.fakes import FakeModelServer, FakeReader, picture, running

MEMBER_CARD = """
name: library-card
title: { en: Library card, fr: Carte de bibliothèque }
fields:
  - key: holder
    printed: { fr: [LECTEUR], en: [READER] }
    label: { en: Reader, fr: Lecteur }
  - key: number
    type: { digits: { count: 5 } }
    printed: { fr: [NUMERO DE CARTE], en: [CARD NUMBER] }
  - key: valid_until
    type: { date: { shapes: [dmy], format: "%Y-%m-%d" } }
    printed: { fr: [VALABLE JUSQU'AU], en: [VALID UNTIL] }
recognise: { labels: 2 }
checks: [{ code: expired, field: valid_until }]
review: { default: 0.8, fields: { number: 0.99 } }
"""
TEXT = (
    "LECTEUR/READER",
    "ABENA ZOE",
    "NUMERO DE CARTE/CARD NUMBER",
    "O1234",
    "VALABLE JUSQU'AU/VALID UNTIL",
    "31.12.2020",
)
FIELDS = ["holder", "number", "valid_until"]


def expect(body: dict[str, Any]) -> None:
    assert body["document"] == "library-card"
    assert body["data"] == {"holder": "ABENA ZOE", "number": "01234", "valid_until": "2020-12-31"}
    codes = {key: [warning["code"] for warning in field["warnings"]] for key, field in body["fields"].items()}
    assert codes == {"holder": [], "number": ["characters_corrected"], "valid_until": ["expired"]}
    assert all(field["box"] for field in body["fields"].values())


async def test_by_a_file_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "library.yaml").write_text(MEMBER_CARD, encoding="utf-8")
    values = ("ABENA ZOE", "O1234", "31.12.2020")
    answer = json.dumps(dict(zip(FIELDS, values, strict=True)), separators=(",", ":"))
    server = FakeModelServer(answer)
    server.answered_by = "base"
    async with running(FakeReader(*TEXT), server, documents=tmp_path) as front:
        expect((await front.extract(picture(), "auto", model="base")).json())
        [sent] = front.server.bodies
        assert "Library card" in sent["prompt"] and re.fullmatch(
            sent["structured_outputs"]["regex"], answer.replace(": ", ":").replace(", ", ",")
        )
        listed = (await front.client.get("/v1/documents")).json()["documents"]
    [shown] = [each for each in listed if each["name"] == "library-card"]
    assert shown["titles"] == {"en": "Library card", "fr": "Carte de bibliothèque"}
    assert shown["review"] == {"holder": 0.8, "number": 0.99, "valid_until": 0.8}
    assert shown["labels"]["holder"] == {"en": "Reader", "fr": "Lecteur"}


@pytest.mark.parametrize("asked", ["library-card", "auto"])
async def test_by_a_model_s_contract_alone(asked: str) -> None:
    prompt = {"prefix": "read\n", "fields": FIELDS, "spec": yaml.safe_load(MEMBER_CARD)}
    contract = {"answer": "lines", "line": "{text} {index}\n", "suffix": "", "documents": {"library-card": prompt}}
    server = FakeModelServer("[1,3,5]")
    for card in server.cards[1:]:
        card["prompt"] = contract
    async with running(FakeReader(*TEXT), server) as front:
        expect((await front.extract(picture(), asked)).json())
        unknown = await front.extract(picture(), "library-card", model="base")
        assert unknown.status_code == 422 and unknown.json()["error"]["code"] == "unknown_document"


async def test_what_a_model_brings_is_in_the_list_of_documents() -> None:
    prompt = {"prefix": "read\n", "fields": FIELDS, "spec": yaml.safe_load(MEMBER_CARD)}
    contract = {"answer": "lines", "line": "{text} {index}\n", "suffix": "", "documents": {"library-card": prompt}}
    wrong = {**contract, "documents": {"library-card": prompt, "Wrong name": {"prefix": "", "fields": ["a"]}}}
    server = FakeModelServer()
    server.cards += [
        {"id": "broken", "parent": "base", "prompt": wrong},
        *({"id": name, "parent": "base", "prompt": contract} for name in ("library", "library@0123456789ab")),
    ]
    async with running(server=server) as front:
        listed = (await front.client.get("/v1/documents")).json()["documents"]
    assert [each["name"] for each in listed] == [*builtin().readable, "library-card"]
    shown = listed[-1]
    assert shown["titles"] == {"en": "Library card", "fr": "Carte de bibliothèque"}
    assert shown["labels"]["holder"] == {"en": "Reader", "fr": "Lecteur"}
    assert shown["labels"]["number"] == {"en": "number", "fr": "number"}  # its file has no words for it
    assert shown["models"] == ["library", "library@0123456789ab"]
    models = {each["name"]: each["models"] for each in listed}
    assert models["cni-2018-recto"] == ["base", "cni", "cni@1f3c9a2b4d5e"] and models["cni-2025-recto"] == ["base"]


async def test_the_front_s_own_documents_are_listed_while_the_model_server_is_away() -> None:
    class Away(FakeModelServer):
        async def __call__(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused")

    async with running(server=Away(), retry_seconds=0) as front:
        listed = (await front.client.get("/v1/documents")).json()["documents"]
    assert {each["name"]: each["models"] for each in listed} == {name: [] for name in builtin().readable}


async def test_a_contract_brings_its_schema_its_sampling_and_its_stop_words() -> None:
    schema = {
        "type": "object",
        "properties": {"holder": {"type": ["string", "null"]}, "number": {"type": "string", "pattern": "[0-9O]{5}"}},
    }
    prompt = {"prefix": "read\n", "fields": ["holder", "number"], "schema": schema}
    contract = {
        "answer": "object", "line": "{text}\n", "suffix": "", "documents": {"library-card": prompt},
        "sampling": {"temperature": 0.2, "top_p": 0.9}, "stop": ["\n"], "max_tokens": 40,
    }  # fmt: skip
    server = FakeModelServer('{"holder":"ABENA ZOE","number":"O1234"}')
    for card in server.cards[1:]:
        card["prompt"] = contract
    async with running(FakeReader(*TEXT), server) as front:
        body = (await front.extract(picture(), "library-card")).json()
        [sent] = front.server.bodies
    assert body["data"] == {"holder": "ABENA ZOE", "number": "O1234"}
    assert (sent["temperature"], sent["top_p"], sent["stop"], sent["max_tokens"]) == (0.2, 0.9, ["\n"], 40)
    assert re.fullmatch(sent["structured_outputs"]["regex"], '{"holder":null,"number":"O1234"}')
    assert not re.fullmatch(sent["structured_outputs"]["regex"], '{"holder": null,"number":"O1234"}')


async def test_a_contract_whose_schema_cannot_be_a_grammar_is_named() -> None:
    prompt = {"prefix": "", "fields": ["a"], "schema": {"type": "object", "properties": {"a": {"not": {}}}}}
    server = FakeModelServer("{}")
    server.cards[1]["prompt"] = {"answer": "object", "line": "{text}\n", "suffix": "", "documents": {"x": prompt}}
    async with running(FakeReader(*TEXT), server) as front:
        answered = await front.extract(picture(), "x")
    assert answered.status_code == 422 and "type" in answered.json()["error"]["message"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: [", "not YAML"),
        ("name: x", "title"),
        (MEMBER_CARD.replace("digits: { count: 5 }", "colour: {}"), "unknown type 'colour'"),
        (MEMBER_CARD.replace("field: valid_until }]", "field: until }]"), "no field until"),
        (MEMBER_CARD.replace("name: library-card", "name: auto"), "not named auto"),
        (MEMBER_CARD.replace("recognise:", "recognize:"), "recognize"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_place(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "library.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError, match=says) as raised:
        load_documents(tmp_path)
    assert "library.yaml" in str(raised.value) and "\n" not in str(raised.value)


async def test_a_check_without_what_it_needs_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "library.yaml").write_text(MEMBER_CARD.replace("code: expired", "code: not_after"), encoding="utf-8")
    with pytest.raises(SettingsError, match="library-card: the check not_after of valid_until needs other"):
        async with running(documents=tmp_path):
            pass


def _texts(path: Path) -> Iterator[str]:
    """Every text in a module's code but docstrings; of one with gaps, `*` stands for a gap."""
    tree = ast.parse(path.read_text("utf-8"))
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
            yield "".join(part.value if isinstance(part, ast.Constant) else "*" for part in node.values)  # type: ignore[misc]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.value


def _names(text: str, words: set[str]) -> bool:
    """Whether a text is one of the words, or is made into one: `cni-*-*`, `cni-{}`, or `cni-` with what is added."""
    begin = re.split(r"[*%{]", text)[0]
    made = begin != text or begin.endswith("-")
    return text in words or (made and len(begin) > 1 and any(re.fullmatch(f"{re.escape(begin)}.+", w) for w in words))


def test_no_module_names_a_document_or_a_field() -> None:
    """The four cards are files; only examples in docstrings may name one."""
    readable = builtin().readable
    keys = {key for spec in readable.values() for key in spec.keys if "_" in key}
    families = builtin().families()
    words = {*readable, *keys, *families, *(name.rpartition("-")[2] for name in families)}
    naming = {}
    for path in Path(ocr_frontend.__file__).parent.rglob("*.py"):
        found = {text for text in _texts(path) if _names(text, words)}
        if found:
            naming[path.name] = found
    assert naming == {}


@pytest.mark.parametrize("text", ["cni-2018-recto", "cni-*-*", "cni-", "cni-%s-recto", "cni-{}", "2018", "nom_surname"])
def test_a_name_is_found_however_it_is_made(text: str) -> None:
    assert _names(text, {"cni-2018-recto", "2018", "nom_surname"})


def test_training_knows_the_same_documents() -> None:
    assert set(get_args(DocumentName)) == set(builtin().readable)

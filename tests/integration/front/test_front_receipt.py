"""A receipt through the front: its document comes with the contract, its corrections go back into training."""

import json
from pathlib import Path

import pytest
import yaml

from adapters.data.given.answers import Answers
from adapters.data.given.sources import read_examples
from adapters.training.contract import contract
from ocr_frontend.documents.spec import parse_spec
from tests.integration.front.fakes import RECTO_TEXT, FakeModelServer, FakeReader, picture, running
from tests.support.receipts import receipts

RAW = yaml.safe_load(Path("adapters/recipes/receipt/document.yaml").read_text(encoding="utf-8"))
SPEC = parse_spec(RAW)
RECEIPT = next(receipts(1))


def server(answer: str) -> FakeModelServer:
    """The cards' adapter and the receipts' one on the same base."""
    found = FakeModelServer(answer)
    prompt = contract((), own=RAW).model_dump(mode="json", by_alias=True)
    found.cards += [{"id": name, "parent": "base", "prompt": prompt} for name in ("receipt", "receipt@0123456789ab")]
    return found


def answer() -> str:
    from adapters.data.given.example import Given
    from adapters.data.lines import Line

    given = Given("one", RECEIPT.fields, tuple(Line(text) for text in RECEIPT.texts))
    return json.dumps(Answers(SPEC).targets(given), separators=(",", ":"))


@pytest.mark.parametrize("asked", ["receipt", "auto"])
async def test_its_contract_is_all_that_the_front_needs(asked: str) -> None:
    model_server = server(answer())
    model_server.answered_by = "receipt@0123456789ab"
    async with running(FakeReader(*RECEIPT.texts), model_server) as front:
        body = (await front.extract(picture(), asked, model="receipt")).json()
    assert body["document"] == "receipt"
    assert body["data"] == RECEIPT.fields
    assert all(field["box"] and field["status"] == "read" for field in body["fields"].values())
    assert body["fields"]["date"]["normalized"] == "-".join(reversed(RECEIPT.fields["date"].split("/")))


async def test_each_adapter_refuses_the_other_one_s_pictures() -> None:
    async with running(FakeReader(*RECEIPT.texts), server(answer())) as front:
        as_card = await front.extract(picture(), "auto", model="cni")
    assert (as_card.status_code, as_card.json()["error"]["code"]) == (422, "document_not_recognised")
    way_out = "The model receipt reads such a picture (receipt): send model=receipt."
    assert as_card.json()["error"]["message"].endswith(way_out)
    async with running(FakeReader(*RECTO_TEXT), server(answer())) as front:
        as_receipt = await front.extract(picture(), "auto", model="receipt")
    assert (as_receipt.status_code, as_receipt.json()["error"]["code"]) == (422, "unknown_document")
    assert "send model=cni." in as_receipt.json()["error"]["message"]


async def test_a_corrected_receipt_is_an_example(tmp_path: Path) -> None:
    model_server = server(answer())
    model_server.answered_by = "receipt@0123456789ab"
    async with running(FakeReader("", *RECEIPT.texts), model_server, corrections=True) as front:
        body = (await front.extract(picture(), "receipt", model="receipt")).json()
        right = {"fields": {"company": "ANOTHER NAME", "date": None}}
        assert (await front.client.put(f"/v1/results/{body['id']}", json=right)).status_code == 200
        (tmp_path / "c.jsonl").write_text((await front.client.get("/v1/corrections")).text, encoding="utf-8")
    [example] = read_examples(tmp_path / "c.jsonl", SPEC)
    answers = Answers(SPEC)
    said = answers.values(answers.lines(example), answers.targets(example))
    assert said == {**RECEIPT.fields, "company": "ANOTHER NAME", "date": None}

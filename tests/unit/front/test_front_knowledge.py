"""What is known of a model is made once a contract, not once a card or once a list of models."""

import re
from typing import Any

import pytest

from ocr_frontend.documents import classify
from ocr_frontend.documents.registry import builtin
from ocr_frontend.errors import UnknownDocument, Unprocessable
from ocr_frontend.extraction.knowledge import KnownModels
from ocr_frontend.extraction.other_models import way_out
from ocr_frontend.llm.catalog import Catalog, ModelCard
from ocr_frontend.llm.contract import Contract
from tests.unit.front.pages import line

SPEC = {
    "name": "bus-ticket",
    "title": {"en": "a bus ticket"},
    "fields": [{"key": "line", "printed": {"fr": ["LIGNE"], "en": ["LINE"]}}],
    "recognise": {"labels": 1},
}
PROMPT: dict[str, Any] = {
    "answer": "lines",
    "line": "{text} {index}\n",
    "suffix": "",
    "documents": {"bus-ticket": {"prefix": "read", "fields": ["line"], "spec": SPEC}},
}


class Server:
    """Lists one adapter, with a contract of its own each time."""

    def __init__(self) -> None:
        self.lists = 0

    async def models(self) -> Any:
        self.lists += 1
        return {"data": [{"id": "bus", "parent": "base", "prompt": {**PROMPT}}]}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How often a contract was parsed, and a classifier's labels were put together."""
    made = {"contracts": 0, "books": 0}
    validate, book = Contract.model_validate, classify.LabelBook

    def parsed(*given: Any, **named: Any) -> Contract:
        made["contracts"] += 1
        return validate(*given, **named)

    def built(*given: Any) -> classify.LabelBook:
        made["books"] += 1
        return book(*given)

    monkeypatch.setattr(Contract, "model_validate", parsed)
    monkeypatch.setattr(classify, "LabelBook", built)
    return made


async def test_a_contract_that_stays_is_parsed_once(counted: dict[str, int]) -> None:
    server, models = Server(), KnownModels(builtin())
    before = dict(counted)
    catalog = Catalog(server, 0.0)  # type: ignore[arg-type]
    for _ in range(5):
        known = models.of(await catalog.find("bus"))
        assert known.chosen("bus-ticket") is not None and known.classifier.labels([]) == 0
    await catalog.close()
    assert server.lists > 1
    assert counted == {"contracts": before["contracts"] + 1, "books": before["books"] + 1}


def test_models_of_one_contract_share_it_and_another_contract_is_another() -> None:
    models = KnownModels(builtin())
    alias, revision = (ModelCard(id=name, parent="base", prompt=PROMPT) for name in ("bus", "bus@1"))
    assert models.of(alias) is models.of(revision)
    changed = ModelCard(id="bus", parent="base", prompt=PROMPT | {"suffix": "!"})
    assert models.of(changed).contract.suffix == "!"
    base = models.of(ModelCard(id="base"))
    assert base.contract.answer == "object" and base is models.of(ModelCard(id="other"))


def test_the_classifier_is_the_front_s_own_unless_the_contract_brings_documents() -> None:
    models = KnownModels(builtin())
    own = models.of(ModelCard(id="base")).classifier
    plain = {"documents": {"cni-2018-recto": {"prefix": "read", "fields": ["nom_surname"]}}}
    assert models.of(ModelCard(id="cni", prompt=PROMPT | plain)).classifier is own
    assert models.of(ModelCard(id="bus", prompt=PROMPT)).classifier is not own


def test_a_check_that_there_is_not_is_said_before_a_card_is_read() -> None:
    ticket = PROMPT["documents"]["bus-ticket"]
    wrong = {"bus-ticket": ticket | {"spec": SPEC | {"checks": [{"code": "x", "field": "line"}]}}}
    with pytest.raises(Unprocessable, match="bus-ticket: there is no check x"):
        KnownModels(builtin()).of(ModelCard(id="bus", prompt=PROMPT | {"documents": wrong}))


@pytest.mark.parametrize(
    ("name", "prompt", "says"),
    [
        ("bus-ticket", {"spec": SPEC | {"fields": [{"key": "line", "type": None}]}},
         "documents.bus-ticket.spec: fields.0.type: a type is its name"),
        ("bus-ticket", {"spec": SPEC | {"fields": [{"key": "line", "type": ["text"]}]}}, "a type is its name"),
        ("Bus ticket", {}, "documents: Bus ticket: name: String should match"),
        ("tram-ticket", {"fields": ["a line"]}, "documents: tram-ticket: fields.0.key: String should match"),
        ("tram-ticket", {"fields": ["line", "line"]}, "its keys differ"),
    ],
)  # fmt: skip
def test_a_contract_whose_documents_cannot_be_is_said_and_hinders_no_other_model(
    name: str, prompt: dict[str, Any], says: str
) -> None:
    given = {"prefix": "read", "fields": ["line"]} | prompt
    wrong = ModelCard(id="wrong", parent="base", prompt=PROMPT | {"documents": {name: given}})
    models = KnownModels(builtin())
    with pytest.raises(Unprocessable, match=re.escape(says)) as raised:
        models.of(wrong)
    assert raised.value.message.startswith("The prompt contract of the model wrong cannot be read: ")
    right = ModelCard(id="bus", parent="base", prompt=PROMPT)
    told = way_out([line("LIGNE/LINE", 0)], ModelCard(id="cni"), [wrong, right], models)
    assert told == "The model bus reads such a picture (bus-ticket): send model=bus."


def test_what_cannot_be_read_or_is_not_known_is_said() -> None:
    models = KnownModels(builtin())
    with pytest.raises(Unprocessable, match="contract of the model bus cannot be read: answer: "):
        models.of(ModelCard(id="bus", prompt={"answer": "poem"}))
    with pytest.raises(UnknownDocument, match="bus-ticket"):
        models.of(ModelCard(id="bus", prompt=PROMPT)).chosen("train-ticket")
    with pytest.raises(UnknownDocument, match="not trained"):
        models.of(ModelCard(id="bus", prompt=PROMPT)).chosen("cni-2018-recto")

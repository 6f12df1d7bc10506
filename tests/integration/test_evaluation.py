"""The evaluation against a front that answers as the contract says: what it counts, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.errors import EvaluationError
from adapters.evaluation import run
from adapters.evaluation.run import Truth, evaluate

VALUES = {
    "numero_de_carte": "123456789",
    "nom_surname": "AKUM",
    "prenom_given_name": None,
    "date_of_birth": "01.02.1990",
    "sex": "F",
    "date_of_expiration": "03.04.2030",
}


class FakeFront:
    """Answers cards in turn from `replies`: a dictionary is `data`, a string an error code."""

    def __init__(self, *replies: dict[str, Any] | str) -> None:
        self.replies = list(replies)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        reply = self.replies.pop(0)
        if isinstance(reply, str):
            status = 502 if reply == "invalid_answer" else 422
            return httpx.Response(status, json={"error": {"code": reply, "message": "", "request_id": ""}})
        lines = [{"text": str(value)} for value in VALUES.values() if value]
        body = {"data": reply, "model": reply.get("_model", "cni@0"), "ocr": {"lines": lines}, "timings_ms": {"llm": 5}}
        return httpx.Response(200, content=json.dumps(body))


@pytest.fixture
def truths(tmp_path: Path) -> list[Truth]:
    (tmp_path / "a.png").write_bytes(b"x")
    return [Truth(tmp_path / "a.png", "cni-2025-recto", "clean", VALUES)] * 2


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch) -> Any:
    def install(fake: FakeFront) -> None:
        real = httpx.AsyncClient

        def client(**options: Any) -> httpx.AsyncClient:
            return real(transport=httpx.MockTransport(fake), **options)

        monkeypatch.setattr(run.httpx, "AsyncClient", client)

    return install


async def test_an_invalid_answer_is_wrong_everywhere_but_keeps_its_ceiling(front: Any, truths: list[Truth]) -> None:
    front(FakeFront(VALUES, "invalid_answer"))
    cards, answered = await evaluate("http://front", "cni", truths, 1, {}, lambda: None)
    assert answered == "cni@0"
    assert [card.right for card in cards] == [True, False]
    assert [card.invalid for card in cards] == [False, True]
    assert all(field.ceiling for field in cards[1].fields)


async def test_two_revisions_in_one_run_are_refused(front: Any, truths: list[Truth]) -> None:
    front(FakeFront(VALUES, {**VALUES, "_model": "cni@1"}))
    with pytest.raises(EvaluationError, match="More than one revision"):
        await evaluate("http://front", "cni", truths, 1, {}, lambda: None)


async def test_another_refusal_ends_the_run_and_names_no_value(front: Any, truths: list[Truth]) -> None:
    front(FakeFront("unknown_model"))
    with pytest.raises(EvaluationError, match="unknown_model") as refused:
        await evaluate("http://front", "cni", truths, 1, {}, lambda: None)
    assert "AKUM" not in str(refused.value)

"""A service that is busy or away for a moment ends no evaluation; one that stays away does, soon enough."""

from pathlib import Path

import httpx
import pytest

from adapters.errors import EvaluationError
from adapters.evaluation import detect
from adapters.evaluation.examples import front
from adapters.evaluation.patience import Patience, error_code, patiently, patiently_here
from adapters.evaluation.run import Truth, evaluate

VALUES = {"numero_de_carte": "123456789", "nom_surname": "A", "prenom_given_name": "B", "date_of_birth": None,
          "sex": "M", "date_of_expiration": None}  # fmt: skip
ANSWER = {"document": "cni-2025-recto", "data": VALUES, "model": "cni@0", "ocr": {"lines": []}, "timings_ms": {}}
HASTY = Patience(losses=(0, 0))


def said(status: int, code: str = "", later: str | None = "0") -> httpx.Response:
    headers = {} if later is None else {"Retry-After": later}
    return httpx.Response(status, headers=headers, json={"error": {"code": code}} if code else ANSWER)


class Service:
    """Says one thing after the other; `asked` counts."""

    def __init__(self, *answers: httpx.Response | httpx.HTTPError) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, _: object = None) -> httpx.Response:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, httpx.HTTPError):
            raise answer
        return answer


def installed(monkeypatch: pytest.MonkeyPatch, service: Service) -> None:
    real = httpx.AsyncClient
    monkeypatch.setattr(httpx, "AsyncClient", lambda **more: real(transport=httpx.MockTransport(service), **more))


async def test_cards_go_on_after_a_busy_front_a_lost_answer_and_a_broken_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    truths = [Truth(tmp_path / "a.png", "cni-2025-recto", "clean", dict(VALUES))] * 3
    service = Service(
        said(503, "model_server_away"), said(429, "rate_limited"), said(200),
        httpx.ReadError("cut off"), httpx.Response(502, text="<html>gateway</html>"), said(200),
        httpx.ConnectError("away"), said(200),
    )  # fmt: skip
    installed(monkeypatch, service)
    cards, exact = await evaluate("http://front", "cni", truths, 1, {}, lambda: None, patience=HASTY)
    assert [card.right for card in cards] == [True] * 3
    assert (exact, service.asked) == ("cni@0", 8)


async def test_a_front_that_stays_away_ends_it_with_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    truths = [Truth(tmp_path / "a.png", "cni-2025-recto", "clean", dict(VALUES))]
    service = Service(httpx.ConnectError("away"))
    installed(monkeypatch, service)
    with pytest.raises(EvaluationError, match="start it with make up"):
        await evaluate("http://front", "cni", truths, 1, {}, lambda: None, patience=HASTY)
    assert service.asked == 3  # two pauses


@pytest.mark.parametrize(
    ("patience", "later", "asked"),
    [
        (Patience(tries=4), "0", 5),
        (Patience(busy=10), "11", 1),
        (Patience(busy=0), None, 1),  # it does not say when: a second, which is more than there is
        (Patience(busy=0.5), "Wed, 21 Oct 2026 07:28:00 GMT", 1),
        (Patience(busy=0.1, longest=0.06), "3600", 2),  # whatever it asks for
    ],
)
def test_tries_and_waiting_have_an_end(patience: Patience, later: str | None, asked: int) -> None:
    service = Service(said(503, "busy", later))
    assert patiently_here(service, patience).status_code == 503
    assert service.asked == asked


@pytest.mark.parametrize(
    ("status", "code"), [(200, ""), (400, "unreadable_image"), (422, "no_text_found"), (500, "internal"),
                         (502, "invalid_answer")]
)  # fmt: skip
async def test_what_would_be_answered_again_is_not_asked_again(status: int, code: str) -> None:
    service = Service(said(status, code))

    async def send() -> httpx.Response:
        return service()

    assert (await patiently(send, HASTY)).status_code == status
    patiently_here(service, HASTY)
    assert service.asked == 2


def test_a_request_that_took_too_long_is_not_asked_again() -> None:
    """Five minutes each: a service that hangs is not a connection that broke off."""
    service = Service(httpx.ReadTimeout("late"))
    with pytest.raises(httpx.ReadTimeout):
        patiently_here(service, HASTY)
    assert service.asked == 1


async def test_detection_and_examples_wait_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"x")
    service = Service(said(503, "busy"), said(200))
    async with httpx.AsyncClient(transport=httpx.MockTransport(service), base_url="http://front") as client:
        assert await detect._answered(client, "cni", b"x") == "cni-2025-recto"
    again = Service(said(429, "rate_limited"), said(200))
    monkeypatch.setattr(front.httpx, "post", lambda *_, **__: again())
    seen = front.through_front("http://front", "cni-2025-recto", "cni", picture)
    assert (seen.model, seen.refused, again.asked) == ("cni@0", False, 2)


def test_what_a_proxy_says_has_no_code() -> None:
    assert [error_code(reply) for reply in (httpx.Response(502, text="<html>"), httpx.Response(502, json=[]))] == [
        "",
        "",
    ]
    assert error_code(said(503, "busy")) == "busy"

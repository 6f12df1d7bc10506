"""What the front tells the model server beside the prompt, and what it makes of the log-probabilities."""

import asyncio
import json
from pathlib import Path
from typing import Any

from ocr_frontend.documents.evidence import VERSION
from tests.integration.front.fakes import CONTRACT, RECTO_ANSWER, FakeModelServer, FakeReader, picture, running

DIGEST = "ab" * 32


def with_digest(digest: str = DIGEST, *answers: Any) -> FakeModelServer:
    server = FakeModelServer(*answers)
    for card in server.cards[1:]:
        card["prompt_sha256"] = digest
    return server


async def test_the_digest_of_the_contract_goes_along() -> None:
    async with running(server=with_digest()) as front:
        await front.extract(picture())
        front.server.answered_by = "base"
        await front.extract(picture(), model="base")
        assert [headers.get("x-prompt-sha256") for headers in front.server.headers] == [DIGEST, None]


async def test_a_changed_prompt_is_read_again_once() -> None:
    server = with_digest(DIGEST, 409, RECTO_ANSWER)
    async with running(server=server, models_seconds=3600) as front:
        await front.client.get("/models")
        for card in server.cards[1:]:
            card |= {"prompt_sha256": "cd" * 32, "prompt": CONTRACT | {"line": "{index} {text}\n"}}
        response = await front.extract(picture())
    assert response.status_code == 200
    assert [headers["x-prompt-sha256"] for headers in server.headers] == [DIGEST, "cd" * 32]
    assert "2 NGO MBARGA\n" in server.bodies[1]["prompt"]


async def test_a_server_that_contradicts_itself_is_away() -> None:
    async with running(server=with_digest(DIGEST, 409)) as front:
        response = await front.extract(picture())
        assert (response.status_code, len(front.server.bodies)) == (503, 2)


async def test_an_invalid_answer_is_reported_and_holds_no_text() -> None:
    async with running(server=FakeModelServer("[1,2]")) as front:
        assert (await front.extract(picture())).status_code == 502
        while not front.server.feedback:
            await asyncio.sleep(0.01)
        assert front.server.feedback == [{"model": "cni@1f3c9a2b4d5e", "outcome": "invalid_json"}]


async def test_a_report_goes_where_a_router_sent_the_request() -> None:
    async with running(server=FakeModelServer("[1,2]"), places=1000) as front:
        for sent in range(1, 5):
            assert (await front.extract(picture())).status_code == 502
            while len(front.server.feedback) < sent:
                await asyncio.sleep(0.01)
        places = [headers["x-session-id"] for headers in front.server.headers]
        assert len(set(places)) > 1
        assert [headers["x-session-id"] for headers in front.server.feedback_headers] == places


async def test_log_probabilities_become_a_confidence_where_the_model_is_calibrated(tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    weights = {"intercept": 0.0, "weights": {"model": 1.0}}
    path.write_text(json.dumps({"evidence": VERSION, "models": {"cni@1f3c9a2b4d5e": weights}}))
    server = FakeModelServer("[2,4,6,8,11,12,14]")
    tokens = ["[", "2", ",", "4", ",", "6", ",", "8", ",", "1", "1", ",", "12", ",", "14", "]", "<|im_end|>"]
    sure = [0.0] * len(tokens)
    sure[1], sure[10] = -0.6931472, -2.302585  # 50 %, 10 %
    server.logprobs = {"tokens": tokens, "token_logprobs": sure}
    async with running(server=server, calibration=path) as front:
        fields = (await front.extract(picture())).json()["fields"]
        server.logprobs = None
        unsaid = (await front.extract(picture())).json()["fields"]
    assert fields["nom_surname"]["confidence"] == 0.5
    assert abs(fields["sex"]["confidence"] - 0.1) < 1e-3
    assert fields["taille"]["confidence"] > 0.999
    assert unsaid["sex"]["evidence"] == {} and unsaid["sex"]["confidence"] is None


async def test_an_empty_picture_gets_an_advice_in_two_languages() -> None:
    async with running(FakeReader()) as front:
        response = await front.extract(picture())
    message = response.json()["error"]["message"]
    assert response.status_code == 422 and "Move closer." in message and "Rapprochez-vous." in message

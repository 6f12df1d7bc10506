"""The model server goes away and comes back."""

import asyncio

import httpx
import pytest

from tests.integration.front.fakes import RECTO_ANSWER, FakeModelServer, picture, running

AWAY = httpx.ConnectError("refused")


@pytest.mark.parametrize("failure", [AWAY, httpx.RemoteProtocolError("cut off"), 502, 503])
async def test_one_failure_is_not_seen(failure: Exception | int) -> None:
    async with running(server=FakeModelServer(failure, RECTO_ANSWER), retry_seconds=0) as front:
        assert (await front.extract(picture())).status_code == 200
        assert len(front.server.bodies) == 2
        assert "ocr_front_model_server_retries_total 1.0" in (await front.client.get("/metrics")).text


@pytest.mark.parametrize(("failure", "status"), [(400, 422), (401, 503), (429, 503), (httpx.ReadTimeout("slow"), 504)])
async def test_what_another_try_would_not_change(failure: Exception | int, status: int) -> None:
    async with running(server=FakeModelServer(failure, RECTO_ANSWER), retry_seconds=0) as front:
        assert (await front.extract(picture())).status_code == status
        assert len(front.server.bodies) == 1


async def test_the_retry_keeps_within_the_deadline() -> None:
    async with running(server=FakeModelServer(AWAY), retry_seconds=30, llm_seconds=1) as front:
        assert (await front.extract(picture())).status_code == 503
        assert len(front.server.bodies) == 1


async def test_a_server_that_stays_away_is_left_alone_and_found_again() -> None:
    server = FakeModelServer(AWAY, AWAY, AWAY, RECTO_ANSWER)
    async with running(
        server=server, retry_seconds=0, breaker_failures=3, breaker_seconds=0.3, models_seconds=60
    ) as front:
        answers = [await front.extract(picture()) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [503] * 4
        assert all(answer.headers["retry-after"] for answer in answers)
        assert len(server.bodies) == 3
        assert "ocr_front_model_server_circuit_open 1.0" in (await front.client.get("/metrics")).text
        await asyncio.sleep(0.4)
        assert (await front.extract(picture())).status_code == 200
        assert "ocr_front_model_server_circuit_open 0.0" in (await front.client.get("/metrics")).text


async def test_the_list_of_models_may_be_old_while_completions_are_answered() -> None:
    """Behind a router the list is asked of one server; that one may be away while the others answer."""

    class Listless(FakeModelServer):
        away = False

        async def __call__(self, request: httpx.Request) -> httpx.Response:
            if self.away and request.url.path == "/v1/models":
                raise httpx.ConnectError("refused")
            return await super().__call__(request)

    server = Listless()
    async with running(server=server, models_seconds=0, retry_seconds=0) as front:
        assert (await front.extract(picture(), model="cni")).status_code == 200
        server.away = True
        assert (await front.extract(picture(), model="cni")).status_code == 200
        unknown = await front.extract(picture(), model="nobody")
        assert unknown.status_code == 503, "whether it exists cannot be said now"


async def test_a_server_that_hangs_is_left_alone_like_one_that_is_away() -> None:
    server = FakeModelServer()
    server.delay = 30
    async with running(server=server, llm_seconds=0.05, breaker_failures=2, breaker_seconds=60) as front:
        answers = [(await front.extract(picture())).status_code for _ in range(4)]
        assert answers == [504, 504, 503, 503] and server.cancelled == 2


async def test_own_connections_all_in_use_is_no_fault_of_the_server() -> None:
    async with running(server=FakeModelServer(httpx.PoolTimeout("full")), breaker_failures=1) as front:
        for _ in range(2):
            answer = await front.extract(picture())
            assert answer.status_code == 503 and answer.json()["error"]["code"] == "busy"

"""No way to a server that mixes adapters up or has no gate: before the start, after it, and in front of each route."""

from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from server.cpu_lora.settings import CpuLoraSettings
from server.settings import Settings
from server.vllm.closed import PASSED, Closed
from server.vllm.contract import TESTED, ContractError
from server.vllm.start import check_before, check_engine, describe


@pytest.mark.parametrize(
    ("environ", "changes", "cpu", "said"),
    [
        ({}, {}, True, ""),
        ({"CNI_CPU_LORA_STEP": "ture"}, {}, True, "CNI_CPU_LORA_STEP must be 1 or 0"),
        ({"CNI_CPU_LORA_STEPS": "0"}, {}, True, "did you mean CNI_CPU_LORA_STEP?"),
        ({"CNI_CPU_LORA": "0"}, {}, True, "SERVER_ALLOW_STOCK_CPU_LORA=1"),
        ({"CNI_CPU_LORA": "0"}, {"allow_stock_cpu_lora": True}, True, ""),
        ({"CNI_CPU_LORA": "0"}, {}, False, ""),
    ],
)
def test_a_launch_that_could_answer_wrongly_is_refused(
    environ: dict[str, str], changes: dict[str, Any], cpu: bool, said: str
) -> None:
    settings = Settings(**changes)
    if not said:
        check_before(settings, environ, TESTED["cpu"][0], cpu)
        return
    with pytest.raises(ContractError) as refused:
        check_before(settings, environ, TESTED["cpu"][0], cpu)
    assert said in str(refused.value)


class Workers:
    """An engine client whose workers say what serves LoRA."""

    def __init__(self, **facts: str) -> None:
        self.facts = {"platform": "cpu", "wrapper": "GroupedPunicaWrapper", "kernel": "on", "step": "on", **facts}
        self.asked: list[str] = []

    async def collective_rpc(self, method: str) -> list[dict[str, str]]:
        self.asked.append(method)
        return [self.facts]


async def test_the_engine_that_started_is_asked_once_more() -> None:
    ours = Workers()
    assert await check_engine(ours, Settings()) == {"wrapper": "GroupedPunicaWrapper", "kernel": "on", "step": "on"}
    assert ours.asked == ["cni_begin"]
    with pytest.raises(ContractError, match="PunicaWrapperCPU instead of GroupedPunicaWrapper"):
        await check_engine(Workers(wrapper="PunicaWrapperCPU"), Settings())
    assert await check_engine(Workers(wrapper="PunicaWrapperCPU"), Settings(allow_stock_cpu_lora=True))
    assert await check_engine(Workers(platform="cuda", wrapper="PunicaWrapperGPU"), Settings())


def test_a_worker_says_what_it_has() -> None:
    class GroupedPunicaWrapper(SimpleNamespace):
        pass

    facts = describe([GroupedPunicaWrapper(has_kernel=True)], "cpu", CpuLoraSettings(step=False))
    assert facts == {"platform": "cpu", "wrapper": "GroupedPunicaWrapper", "kernel": "on", "step": "off"}


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
async def test_without_the_gates_mark_every_route_is_closed(method: str) -> None:
    async def home(request: Any) -> PlainTextResponse:
        return PlainTextResponse("in")

    app = Starlette(routes=[Route("/v1/completions", home, methods=["GET", "POST", "OPTIONS"])])
    app.add_middleware(Closed)

    async def marked(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, PASSED: True}, receive, send)

    for outer, status in ((app, 503), (marked, 200)):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(outer), base_url="http://server") as client:
            assert (await client.request(method, "/v1/completions")).status_code == status

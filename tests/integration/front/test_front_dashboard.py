"""`GET /dashboard`: its files, its data from both services' metrics, and who may see it."""

import re

import httpx
import pytest

from ocr_frontend.web import dashboard
from tests.integration.front.fakes import FakeModelServer, picture, running

PAGE = """# TYPE cni_server_requests counter
cni_server_requests_total{adapter="cni",revision="1f3c"} 7
cni_server_requests_total{adapter="base",revision=""} 2
# TYPE cni_server_errors counter
cni_server_errors_total{adapter="cni",revision="1f3c",kind="server"} 1
# TYPE cni_server_traffic_share gauge
cni_server_traffic_share{adapter="cni",revision="1f3c"} 0.9
# TYPE cni_server_time_to_first_token_seconds histogram
cni_server_time_to_first_token_seconds_bucket{adapter="cni",revision="1f3c",le="0.1"} 5
cni_server_time_to_first_token_seconds_bucket{adapter="cni",revision="1f3c",le="+Inf"} 7
cni_server_time_to_first_token_seconds_count{adapter="cni",revision="1f3c"} 7
cni_server_time_to_first_token_seconds_sum{adapter="cni",revision="1f3c"} 0.5
# TYPE cni_server_adapters gauge
cni_server_adapters{tier="slots"} 1
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{engine="0"} 0.25
"""


class Measured(FakeModelServer):
    """A model server with metrics; `status` is what they are answered with."""

    def __init__(self, status: int = 200) -> None:
        super().__init__()
        self.status, self.keys = status, list[str | None]()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/metrics":
            return await super().__call__(request)
        self.keys.append(request.headers.get("authorization"))
        return httpx.Response(self.status, text=PAGE)


async def test_the_data_of_both_services() -> None:
    async with running(server=Measured()) as front:
        assert (await front.extract(picture(), model="cni")).status_code == 200
        assert (await front.client.post("/v1/cards", data={"model": "cni"})).status_code == 400
        data = (await front.client.get("/dashboard/data")).json()
    assert data["server_state"] == "ok"
    assert data["front"]["requests"] == {"2xx": 1, "4xx": 1, "5xx": 0}
    assert data["front"]["stages"]["total"]["count"] == 1
    assert data["front"]["memory"]["front"] > 0
    base, cni = data["server"]["adapters"]
    assert (base["adapter"], base["share"]) == ("base", None)
    assert (cni["revision"], cni["requests"], cni["errors"], cni["share"]) == ("1f3c", 7, 1, 0.9)
    assert cni["first_token"] == {"count": 7, "buckets": [[0.1, 5], [None, 7]]}
    assert data["server"]["kv_cache"] == 0.25


@pytest.mark.parametrize(("status", "state"), [(401, "refused"), (403, "refused"), (500, "away")])
async def test_a_server_without_numbers_is_said(status: int, state: str) -> None:
    async with running(server=Measured(status)) as front:
        data = (await front.client.get("/dashboard/data")).json()
    assert (data["server"], data["server_state"]) == (None, state)
    assert data["front"]["stages"]


async def test_the_metrics_key_goes_to_the_metrics() -> None:
    server = Measured()
    async with running(server=server, server_metrics_key="watcher") as front:
        await front.client.get("/dashboard/data")
    assert server.keys == ["Bearer watcher"]


async def test_the_page_loads_nothing_foreign() -> None:
    async with running() as front:
        page = await front.client.get("/dashboard")
        assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        for address in loaded:
            assert address.startswith("/") and not address.startswith("//")
            if address.startswith("/dashboard/"):
                part = await front.client.get(address)
                assert part.status_code == 200
                assert "default-src 'none'" in part.headers["content-security-policy"]
        assert (await front.client.get("/dashboard/nothing.js")).status_code == 404
        assert (await front.client.get("/dashboard/..%2Fsettings.py")).status_code == 404
    everything = "".join(text for text, _ in dashboard.parts().values())
    assert "http:" not in everything.replace("http://www.w3.org", "") and "https:" not in everything
    assert "innerHTML" not in everything


def test_every_word_is_there_in_both_languages() -> None:
    texts = {name: text for name, (text, _) in dashboard.parts().items()}
    english, french = texts["words.js"].split("const FR")
    names = [set(re.findall(r"(?m)(?:^  |, )(\w+): \"", part)) for part in (english, french)]
    assert names[0] == names[1] and len(names[0]) > 30
    asked = set(re.findall(r'data-word="(\w+)"', texts["index.html"]))
    asked |= set(re.findall(r'word\("(\w+)"\)', texts["dashboard.js"]))
    assert asked <= names[0]

"""`/dashboard` in a real Chromium: live numbers of both services, both languages, nothing foreign (see `visit`)."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from server.metrics import Metrics
from tests.integration.front.fakes import FakeModelServer

from .conftest import DESK, PHONE, SAMPLE, Seen, Site, visit

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def numbers() -> CollectorRegistry:
    """The model server's own metrics, as if two revisions and the base had answered."""
    registry = CollectorRegistry()
    metrics, rng = Metrics(registry, 20), random.Random(7)
    for adapter, revision, count in (
        ("cni", "42413cfc0610", 180),
        ("cni", "9b1c77d0aa31", 20),
        (None, None, 6),
    ):
        who = metrics.who(adapter, revision)
        metrics.requests.labels(*who).inc(count)
        metrics.tokens.labels(*who, "in").inc(240 * count)
        for _ in range(count):
            metrics.first_token.labels(*who).observe(rng.uniform(0.06, 0.3))
            metrics.duration.labels(*who).observe(rng.uniform(0.3, 1.2))
    metrics.errors.labels("cni", "9b1c77d0aa31", "server").inc(2)
    shares = Gauge("cni_server_traffic_share", "", ["adapter", "revision"], registry=registry)
    shares.labels("cni", "42413cfc0610").set(0.9)
    shares.labels("cni", "9b1c77d0aa31").set(0.1)
    for name, label, values in (
        ("cni_server_adapters", "tier", {"slots": 2, "memory": 2, "disk": 5}),
        ("cni_server_tier_capacity", "tier", {"slots": 8, "memory": 64}),
        ("cni_server_resident_bytes", "tier", {"slots": 1.5e7, "memory": 3.7e6, "disk": 9.2e6}),
        ("cni_server_process_resident_memory_bytes", "process", {"api": 0.9e9, "engine": 5.3e9}),
    ):
        gauge = Gauge(name, "", [label], registry=registry)
        for key, value in values.items():
            gauge.labels(key).set(value)
    for name, number in (
        ("vllm:num_requests_running", 3),
        ("vllm:num_requests_waiting", 1),
        ("vllm:kv_cache_usage_perc", 0.31),
    ):
        Gauge(name, "", ["engine"], registry=registry).labels("0").set(number)
    return registry


@pytest.fixture
def measured(site: Site, numbers: CollectorRegistry, monkeypatch: pytest.MonkeyPatch) -> Site:
    answer = FakeModelServer.__call__

    async def with_metrics(self: FakeModelServer, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/metrics":
            return httpx.Response(200, content=generate_latest(numbers))
        return await answer(self, request)

    monkeypatch.setattr(FakeModelServer, "__call__", with_metrics)
    return site


@pytest.fixture
def wide(browser: Browser, measured: Site) -> Iterator[Seen]:
    yield from visit(browser, measured, viewport=DESK, locale="en-GB")


@pytest.fixture
def french_phone(browser: Browser, measured: Site) -> Iterator[Seen]:
    yield from visit(browser, measured, viewport=PHONE, locale="fr-FR", is_mobile=True, has_touch=True)


def _dashboard(seen: Seen) -> Page:
    seen.page.goto(seen.site.url + "/dashboard")
    seen.page.wait_for_selector("#adapters tr")
    return seen.page


def _cards(site: Site, count: int) -> None:
    for _ in range(count):
        files = {"image": ("card.jpg", SAMPLE.read_bytes(), "image/jpeg")}
        answer = httpx.post(f"{site.url}/v1/extract", files=files, data={"document": "cni-2018-recto"}, timeout=60)
        assert answer.status_code == 200, answer.text


def test_the_numbers_are_those_of_the_services(wide: Seen) -> None:
    page = _dashboard(wide)
    rows = [row.inner_text().split("\t") for row in page.locator("#adapters tr").all()]
    assert [row[:4] for row in rows] == [
        ["base", "–", "6", "0"], ["cni@42413cfc0610", "90%", "180", "0"], ["cni@9b1c77d0aa31", "10%", "20", "2"],
    ]  # fmt: skip
    assert "5.0 GiB" in page.inner_text("#memory") or "4.9 GiB" in page.inner_text("#memory")
    assert "31%" in page.inner_text("#engine")
    assert "2 of 8" in page.inner_text("#tiers")
    assert page.inner_text("#state") == "live"


def test_it_is_live(wide: Seen, tmp_path: Path) -> None:
    page = _dashboard(wide)
    assert "answered\n0" in page.inner_text("#requests")
    _cards(wide.site, 4)
    expect(page.locator("#requests div", has_text="answered")).to_have_text("answered4", timeout=15_000)
    total = page.locator("#stages tr", has_text="total").inner_text().split("\t")
    assert total[4] == "4" and total[1].endswith(("ms", "s")) and total[1] != "–"
    # Two points make a line; the second comes with the next look.
    expect(page.locator("#chart polyline")).to_have_attribute("points", re.compile(r"\d \d"), timeout=15_000)
    page.screenshot(path=tmp_path / "dashboard.png", full_page=True)


def test_in_french_on_a_phone_nothing_sticks_out(french_phone: Seen) -> None:
    page = _dashboard(french_phone)
    assert page.inner_text("h1") == "Tableau de bord"
    assert page.evaluate("document.documentElement.lang") == "fr"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.click("#language")
    assert page.inner_text("h1") == "Service dashboard"


def test_a_server_that_is_away_is_said(browser: Browser, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(self: FakeModelServer, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(FakeModelServer, "__call__", away)
    for seen in visit(browser, site, viewport=DESK, locale="en-GB"):
        seen.page.goto(site.url + "/dashboard")
        seen.page.wait_for_selector("#state.bad")
        assert seen.page.inner_text("#state") == "The model server does not answer."
        assert seen.page.locator("#stages tr").count() > 3, "the front's own numbers stay"

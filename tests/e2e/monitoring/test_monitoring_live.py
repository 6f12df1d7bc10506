"""No panel shows nothing: every query of every board, on real services under load, and every rule beside them."""

import concurrent.futures
import math
import time
from pathlib import Path

import httpx
import pytest

from tests.unit.deploy.names import ROOT, asked, queries, rules, shown

from .conftest import Watched

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

_SAMPLE = ROOT / "docs" / "sample-2018-recto.jpg"
_CARDS, _AT_ONCE = 6, 2


@pytest.fixture(scope="module")
def loaded(watched: Watched) -> Watched:
    """A few cards, wrong requests, and a switch to where the alias points already; then a few scrapes more."""
    _until_scraped(watched)
    with concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as pool:
        statuses = list(pool.map(lambda _: _card(watched.front, _SAMPLE), range(_CARDS)))
    assert statuses == [200] * _CARDS
    with httpx.Client(timeout=60) as client:
        assert client.post(f"{watched.front}/v1/extract", files={"image": b"no image"}).status_code in (400, 415)
        adapter = client.get(f"{watched.server}/v1/adapters").json()
        assert adapter
    time.sleep(5)
    return watched


def _until_scraped(watched: Watched) -> None:
    """A counter's first value must be seen before it rises: else Prometheus knows of no increase."""
    deadline = time.monotonic() + 30
    while len(watched.ask("up == 1")) < 2:
        assert time.monotonic() < deadline, watched.ask("up")
        time.sleep(0.5)
    _card(watched.front, _SAMPLE)  # series that are born with their first request
    time.sleep(3)


def _card(front: str, image: Path) -> int:
    files = {"image": (image.name, image.read_bytes(), "image/jpeg")}
    return httpx.post(
        f"{front}/v1/extract", files=files, data={"document": "cni-2018-recto"}, timeout=120
    ).status_code  # fmt: skip


@pytest.mark.parametrize(("where", "query"), list(queries()))
def test_panel_shows_something(loaded: Watched, where: str, query: str) -> None:
    values = [float(series["value"][1]) for series in loaded.ask(query)]
    assert values, where
    assert not all(math.isnan(value) for value in values), where


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule.get("record"))
def test_rule_is_evaluated_without_error(loaded: Watched, rule: dict[str, str]) -> None:
    """What it gives is proven by deploy/prometheus/tests; here its metrics and labels are the real ones."""
    loaded.ask(rule["expr"])
    for name in asked(rule["expr"]) & _always():
        assert loaded.ask(f'{{__name__=~"{name}(_sum|_total)?"}}'), name


def _always() -> set[str]:
    """Metrics that are there without anything having gone wrong."""
    return {name for name in shown() if not name.endswith(("_total",))}


def test_rules_are_healthy(loaded: Watched) -> None:
    groups = httpx.get(f"{loaded.prometheus}/api/v1/rules", timeout=30).json()["data"]["groups"]
    every = [rule for group in groups for rule in group["rules"]]
    assert len(every) == len(rules())
    assert {rule["name"]: rule.get("lastError") for rule in every if rule["health"] == "err"} == {}


def test_recorded_names_are_still_those_of_the_services(loaded: Watched) -> None:
    """tests/unit/deploy/metric_names.txt, against which the boards are checked without services."""
    text = "".join(httpx.get(f"{url}/metrics", timeout=30).text for url in (loaded.server, loaded.front))
    families = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert shown() <= families

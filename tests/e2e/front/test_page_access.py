"""Who can use the page, and with what key: axe-core's rules (WCAG 2.2 AA), and a front that wants a key."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.front.conftest import DESK, Seen, serve, visit

pytestmark = pytest.mark.e2e
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}


def _violations(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_axe_on_a_desk(desk: Seen, language: str) -> None:
    page = desk.open(f"/?lang={language}")
    assert _violations(page) == []
    page.select_option("#other", "base")
    desk.read()
    page.wait_for_selector(".second")
    page.fill("#field-profession", "X")
    assert _violations(page) == []


def test_axe_on_a_phone(phone: Seen) -> None:
    page = phone.open()
    assert _violations(page) == []
    phone.read()
    page.locator("#field-sex").tap()
    assert _violations(page) == []


@pytest.fixture
def locked(browser: Browser) -> Iterator[Seen]:
    """A front with a key."""
    for site in serve(keys="the-right-one"):
        yield from visit(browser, site, viewport=DESK)


def test_a_key_is_asked_for_and_stays_in_the_page(locked: Seen) -> None:
    page = locked.page
    page.goto(locked.site.url + "/?lang=en")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert _violations(page) == []
    page.get_by_label("Access key").fill("a wrong one")
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    expect(dialog).to_be_visible()
    page.get_by_label("Access key").fill("the-right-one")
    page.keyboard.press("Enter")
    page.wait_for_selector("#model option", state="attached")
    locked.read()
    assert page.evaluate("localStorage.length + sessionStorage.length + document.cookie.length") == 0
    assert "the-right-one" not in page.content()
    locked.complaints.clear()  # the browser itself notes each status 401

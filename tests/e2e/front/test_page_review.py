"""The review queue in a real Chromium, worked by keyboard; not a trace of it where answers are not kept."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.front.conftest import DESK, Seen, serve, visit
from tests.e2e.front.test_page_access import _violations

pytestmark = pytest.mark.e2e


@pytest.fixture
def keeping(browser: Browser) -> Iterator[Seen]:
    """A front that keeps answers for corrections."""
    for site in serve(corrections=True):
        yield from visit(browser, site, viewport=DESK)


def test_fields_to_check_are_worked_by_keyboard_and_sent(keeping: Seen) -> None:
    page = keeping.open()
    page.select_option("#model", "base")  # it misspells the place of birth, its height was found by a rule
    keeping.read()
    expect(page.locator("#privacy")).to_contain_text("kept for corrections")
    expect(page.locator("#review")).to_be_visible()
    expect(page.locator("#review-words")).to_have_text("2 fields to check")
    expect(page.locator("#review-send")).to_be_disabled()
    assert _violations(page) == []
    page.locator("#review-next").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#field-lieu_of_birth")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("YINGUI")
    page.keyboard.press("Enter")
    expect(page.locator("#field-taille")).to_be_focused()
    expect(page.locator("#review-words")).to_have_text("1 field to check")
    page.keyboard.press("Enter")  # right as it stands
    expect(page.locator("#review-send")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#review-words")).to_have_text("1 correction sent.")
    [row] = httpx.get(f"{keeping.site.url}/v1/corrections").text.splitlines()
    assert '"field": "lieu_of_birth"' in row and '"new": "YINGUI"' in row


def test_after_the_last_field_the_values_are_focused_where_nothing_was_corrected(keeping: Seen) -> None:
    page = keeping.open()
    page.select_option("#model", "base")
    keeping.read()
    page.locator("#field-lieu_of_birth").press("Enter")
    expect(page.locator("#field-taille")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#values")).to_be_focused()
    expect(page.locator("#announce")).to_have_text("0 fields to check")
    page.keyboard.press("Enter")  # once more does nothing
    expect(page.locator("#values")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#json")).to_be_focused()


def test_the_next_reading_is_checked_from_its_beginning(keeping: Seen) -> None:
    page = keeping.open()
    page.select_option("#model", "base")
    keeping.read()
    page.locator("#field-taille").press("Enter")
    expect(page.locator("#review-words")).to_have_text("1 field to check")
    page.click("#again")
    expect(page.locator("#review-words")).to_have_text("2 fields to check")


def test_where_nothing_is_kept_there_is_no_queue(desk: Seen) -> None:
    page = desk.open()
    page.select_option("#model", "base")
    desk.read()
    expect(page.locator("#review")).to_be_hidden()
    assert not any("/v1/results" in url for url in desk.requests)

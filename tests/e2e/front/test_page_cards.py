"""A picture of several cards on the page: which one is shown, the others by button and keyboard, in both languages."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.e2e.front.conftest import DESK, Seen, serve, visit
from tests.e2e.front.test_page_access import _violations
from tests.integration.front.fakes import picture
from tests.integration.front.test_front_several import BOTH, based

pytestmark = pytest.mark.e2e


@pytest.fixture
def several(browser: Browser) -> Iterator[Seen]:
    """A front whose pictures show a recto above a verso; the base reads both."""
    for site in serve(lambda: BOTH, based()):
        for seen in visit(browser, site, viewport=DESK):
            seen.open()
            seen.page.select_option("#model", "base")
            photo = {"name": "two.jpg", "mimeType": "image/jpeg", "buffer": picture(size=(1200, 1000))}
            seen.page.set_input_files("#file", files=[photo])
            expect(seen.page.locator("#values-title")).to_have_text("CNI 2018, front")
            yield seen


def _middles(shapes: Locator) -> list[float]:
    boxes = [box for shape in shapes.all() if (box := shape.bounding_box())]
    assert boxes
    return [box["y"] + box["height"] / 2 for box in boxes]


def test_the_other_card_is_read_by_keyboard_and_shown_with_its_boxes(several: Seen) -> None:
    page, buttons = several.page, several.page.locator("#cards button")
    expect(buttons).to_have_text(["Card 1 of 2CNI 2018, front", "Card 2 of 2CNI 2018, back"])
    expect(page.get_by_role("button", pressed=True, name="Card")).to_have_text("Card 1 of 2CNI 2018, front")
    photo = page.locator("#photo").bounding_box()
    assert photo
    half = photo["y"] + photo["height"] / 2
    assert max(_middles(page.locator("#boxes polygon"))) < half
    assert _violations(page) == []

    buttons.nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#values-title")).to_have_text("CNI 2018, back")
    expect(page.locator("#field-pere_father")).to_have_value("ABENA")
    expect(buttons.nth(1)).to_be_focused()  # a person goes on from where they are
    expect(page.get_by_role("button", pressed=True, name="Card")).to_have_text("Card 2 of 2CNI 2018, back")
    assert min(_middles(page.locator("#boxes polygon"))) > half
    assert len(several.site.server.bodies) == 2


def test_a_card_that_one_comes_back_to_is_as_it_was_left(several: Seen) -> None:
    page, buttons = several.page, several.page.locator("#cards button")
    page.fill("#field-nom_surname", "MBARGA BELLO")
    buttons.nth(1).click()
    expect(page.locator("#field-pere_father")).to_have_value("ABENA")
    buttons.nth(0).click()
    expect(page.locator("#field-nom_surname")).to_have_value("MBARGA BELLO")
    expect(page.locator(".field.corrected")).to_have_count(1)
    assert len(several.site.server.bodies) == 2, "it is not read again"


def test_a_document_chosen_is_the_card_that_is_it(several: Seen) -> None:
    page = several.page
    page.select_option("#document", "cni-2018-verso")
    expect(page.locator("#values-title")).to_have_text("CNI 2018, back")
    expect(page.locator("#cards button[aria-pressed=true]")).to_have_text("Card 2 of 2CNI 2018, back")
    page.locator("#cards button").nth(0).click()  # the card counts, not the document that another one is
    expect(page.locator("#field-nom_surname")).to_have_value("MBARGA")


def test_the_cards_have_their_french_and_one_card_has_no_buttons(several: Seen, desk: Seen) -> None:
    page = several.page
    page.get_by_role("button", name="Français").click()
    expect(page.locator("#cards button")).to_have_text(["Carte 1 sur 2CNI 2018, recto", "Carte 2 sur 2CNI 2018, verso"])
    expect(page.get_by_role("group", name="Cartes sur l’image")).to_be_visible()
    expect(page.locator("#notices")).to_contain_text("(CNI 2018, verso)")
    desk.open()
    desk.read()
    expect(desk.page.locator("#cards")).to_be_hidden()

"""The page in a real Chromium: a card read, its boxes, corrections, exports, two models, two languages."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.front.conftest import Seen

pytestmark = pytest.mark.e2e
VALUES = {
    "nom_surname": "NZENGESSI", "prenom_given_name": "REBECCA", "date_of_birth": "21.12.1978",
    "lieu_of_birth": "YINGUI", "sex": "M", "taille": 1.5, "profession": "ENTRAÎNEUR",
}  # fmt: skip


def _download(page: Page, button: str, folder: Path) -> tuple[str, str]:
    with page.expect_download() as started:
        page.click(button)
    started.value.save_as(folder / "out")
    return started.value.suggested_filename, (folder / "out").read_text("utf-8-sig")


def test_a_card_is_read_lit_corrected_and_exported(desk: Seen, tmp_path: Path) -> None:
    page = desk.open()
    desk.read()
    expect(page.locator("#values-title")).to_have_text("CNI 2018, front")
    assert {name: page.input_value(f"#field-{name}") for name in VALUES} == {k: str(v) for k, v in VALUES.items()}

    page.locator("[data-name=lieu_of_birth].field").hover()
    expect(page.locator("#boxes polygon.lit")).to_have_attribute("data-name", "lieu_of_birth")
    expect(page.locator("#loupe")).to_be_visible()
    page.locator("#field-taille").focus()
    expect(page.locator("#boxes polygon.lit")).to_have_attribute("data-name", "taille")
    page.locator("polygon[data-name=profession]").click()
    expect(page.locator("#field-profession")).to_be_focused()

    page.fill("#field-profession", "ENSEIGNANTE")
    page.fill("#field-taille", "1,62")
    page.fill("#field-sex", "")
    expect(page.locator(".field.corrected")).to_have_count(3)
    name, text = _download(page, "#json", tmp_path)
    saved = json.loads(text)
    assert name.startswith("cni-2018-recto-") and name.endswith(".json")
    assert saved["data"] == VALUES | {"profession": "ENSEIGNANTE", "taille": 1.62, "sex": None}
    assert saved["fields"]["profession"]["read"] == "ENTRAÎNEUR" and saved["fields"]["profession"]["corrected"] is True
    assert saved["fields"]["nom_surname"]["corrected"] is False and saved["model"] == "cni@1f3c9a2b4d5e"

    page.click("[data-name=profession] .notes button")
    expect(page.locator("#field-profession")).to_have_value("ENTRAÎNEUR")
    page.fill("#field-nom_surname", '=1+1,"x"')
    _, text = _download(page, "#csv", tmp_path)
    rows = {row["field"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["nom_surname"]["value"] == '\'=1+1,"x"' and rows["nom_surname"]["read"] == "NZENGESSI"
    assert rows["profession"]["corrected"] == "false" and rows["sex"] | {"confidence": ""} == {
        "field": "sex", "label": "Sex", "value": "", "read": "M", "confidence": "", "corrected": "true",
    }  # fmt: skip


def test_the_lit_box_lies_on_the_text(desk: Seen) -> None:
    """Where the sample shows the place of birth: the box on the screen, scaled as the picture is."""
    page = desk.open()
    desk.read()
    page.locator("#field-lieu_of_birth").focus()
    photo, lit = page.locator("#photo").bounding_box(), page.locator("polygon.lit").bounding_box()
    assert photo and lit
    scale = photo["width"] / 1272
    left, top, right, bottom = (value * scale for value in (166, 479, 282, 521))
    assert abs(lit["x"] - photo["x"] - left) < 12 and abs(lit["y"] - photo["y"] - top) < 12
    assert abs(lit["x"] + lit["width"] - photo["x"] - right) < 12
    assert abs(lit["y"] + lit["height"] - photo["y"] - bottom) < 12


def test_two_models_side_by_side(desk: Seen) -> None:
    page = desk.open()
    page.select_option("#other", "base")
    desk.read()
    page.wait_for_selector(".second")
    # The height that the base left out stands free under its label: a rule takes it, and says so.
    expect(page.locator("#agreement")).to_have_text("The two models agree on 6 of 7 fields.")
    expect(page.locator(".second.differs")).to_have_count(1)
    assert [body["model"] for body in desk.site.server.bodies] == ["cni", "base"]
    page.locator("[data-name=lieu_of_birth] .second button").click()
    expect(page.locator("#field-lieu_of_birth")).to_have_value("YINGUIS")
    expect(page.locator(".run")).to_have_count(2)
    expect(page.locator("#recent svg")).to_have_attribute("aria-label", re.compile("^2 readings"))


def test_documents_models_and_revisions_are_offered(desk: Seen) -> None:
    page = desk.open()
    groups = page.locator("#model optgroup")
    assert [group.get_attribute("label") for group in groups.all()] == ["Adapters", "Revisions", "Base models"]
    assert page.input_value("#model") == "cni"
    assert page.locator("#document option").count() == 5
    page.select_option("#document", "cni-2018-verso")
    page.set_input_files("#file", files=[{"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}])
    # The fake's adapter knows one document.
    expect(page.locator("#problem")).to_be_visible()
    desk.complaints.clear()  # the browser itself notes the status 422


def test_french_and_english(desk: Seen) -> None:
    page = desk.open("/?lang=fr")
    desk.read()
    assert page.get_attribute("html", "lang") == "fr" and page.title() == "Lecture de cartes"
    expect(page.get_by_label("Lieu de naissance")).to_have_value("YINGUI")
    page.fill("#field-sex", "F")
    page.get_by_role("button", name="English").click()
    assert page.get_attribute("html", "lang") == "en" and page.title() == "Card reading"
    expect(page.get_by_label("Place of birth")).to_have_value("YINGUI")
    expect(page.get_by_role("textbox", name="Sex")).to_have_value("F")  # a correction outlives the change


def test_the_keyboard_alone(desk: Seen) -> None:
    page = desk.open()
    desk.read()
    page.locator("#field-nom_surname").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#field-prenom_given_name")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#field-date_of_birth")).to_be_focused()
    expect(page.locator("#boxes polygon.lit")).to_have_attribute("data-name", "date_of_birth")


def test_nothing_is_stored(desk: Seen) -> None:
    page = desk.open()
    desk.read()
    page.fill("#field-nom_surname", "SOMEBODY ELSE")
    stored = page.evaluate(
        "async () => [localStorage.length, sessionStorage.length, document.cookie.length,"
        " (await indexedDB.databases()).length, (await caches.keys()).length]"
    )
    assert stored == [0] * 5
    page.reload()
    expect(page.locator("#values")).to_be_hidden()


def test_a_phone_shows_the_card_above_the_field_in_hand(phone: Seen) -> None:
    page = phone.open("/?lang=fr")
    expect(page.get_by_text("Photographier")).to_be_visible()
    assert page.get_attribute("#camera", "capture") == "environment"
    phone.read()
    page.locator("#field-profession").tap()
    field, photo = page.locator("#field-profession").bounding_box(), page.locator("#photo").bounding_box()
    assert field and photo
    assert photo["y"] >= 0 and photo["y"] + photo["height"] < field["y"] and field["y"] + field["height"] < 780
    assert page.evaluate("document.documentElement.scrollWidth") <= 390  # nothing to scroll sideways
    expect(page.get_by_text("Choisir une image")).to_be_in_viewport()

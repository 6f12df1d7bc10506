"""The pictures of docs/reference/page.md and of the dashboard, taken from running services with Chromium.

python -m benchmarks.publish.page_pictures --front http://127.0.0.1:8080
"""

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

_SAMPLE = Path("docs/sample-2018-recto.jpg")
_CARDS = 12  # one after the other, before the dashboard's picture
_DESK: dict[str, Any] = {"viewport": {"width": 1360, "height": 860}}
_PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 780},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}


def main() -> int:
    """Take them; 1 with a sentence when the front or Chromium is not there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.publish.page_pictures", description=__doc__)
    parser.add_argument("--front", default="http://127.0.0.1:8080", help="default: %(default)s")
    parser.add_argument("--other", help="the model to compare with (default: the first base)")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder (default: %(default)s)")
    args = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        print("Chromium is not installed: apt-get install chromium", file=sys.stderr)
        return 1
    from playwright.sync_api import Error, sync_playwright

    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            _desk(browser, args)
            _phone(browser, args)
            _dashboard(browser, args)
            browser.close()
    except (Error, httpx.HTTPError) as error:
        said = str(error).splitlines() or [type(error).__name__]
        print(f"The page at {args.front} could not be taken: {said[0]}", file=sys.stderr)
        return 1
    return 0


def _read(browser: Any, address: str, options: dict[str, Any]) -> Any:
    page = browser.new_context(**options).new_page()
    page.goto(address)
    page.wait_for_selector("#model option", state="attached")
    page.set_input_files("#file", _SAMPLE)
    page.wait_for_selector(".field input")
    page.wait_for_selector("#reading", state="hidden")
    return page


def _desk(browser: Any, args: argparse.Namespace) -> None:
    page = _read(browser, f"{args.front}/?lang=fr", _DESK)
    page.locator("#field-lieu_of_birth").focus()
    _save(page, args.out / "page.png")
    other = args.other or page.locator("#other optgroup option").last.get_attribute("value")
    page.select_option("#other", other)
    page.wait_for_selector(".second", timeout=120_000)
    page.wait_for_selector("#reading", state="hidden")
    _save(page, args.out / "page-two-models.png", full_page=True)


def _phone(browser: Any, args: argparse.Namespace) -> None:
    page = _read(browser, f"{args.front}/?lang=en", _PHONE)
    page.locator("#field-date_of_birth").tap()
    _save(page, args.out / "page-phone.png")


def _dashboard(browser: Any, args: argparse.Namespace) -> None:
    page = browser.new_context(**_DESK).new_page()
    page.goto(f"{args.front}/dashboard?lang=en")
    for _ in range(_CARDS):
        card = {"image": (_SAMPLE.name, _SAMPLE.read_bytes(), "image/jpeg")}
        httpx.post(f"{args.front}/v1/extract", files=card, timeout=60).raise_for_status()
    page.wait_for_timeout(3_000)  # one more of its looks
    _save(page, args.out / "dashboard.png", full_page=True)


def _save(page: Any, path: Path, **options: Any) -> None:
    """In 192 colours: a few ten kilobytes."""
    page.wait_for_timeout(400)
    page.screenshot(path=path, **options)
    Image.open(path).convert("RGB").quantize(192, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    sys.exit(main())

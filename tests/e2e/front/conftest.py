"""The real app behind a real web server, seen by a real Chromium; only OCR and model server are stood in for."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from ocr_frontend.api.app import create_app
from ocr_frontend.ocr.reader import TextLine
from ocr_frontend.settings import Settings
from tests.integration.front.fakes import RECTO_FIELDS, FakeModelServer, FakeReader
from tests.support.tools import need

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ROOT / "docs/sample-2018-recto.jpg"
_LINES = json.loads(Path(__file__).with_name("sample-lines.json").read_text("utf-8"))
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
# What the base answers: a place otherwise than the card spells it, and no height (which a rule finds).
DESK, PHONE = {"width": 1360, "height": 860}, {"width": 390, "height": 780}
_BASE = dict(zip(RECTO_FIELDS, ("NZENGESSI", "REBECCA", "21.12.1978", "YINGUIS", "M", None, "ENTRAÎNEUR"), strict=True))


class SampleReader(FakeReader):
    """What the real OCR reads on the sample card, as it comes: the front puts lines into reading order."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = [TextLine(text, score, tuple(map(tuple, box))) for text, score, box in _LINES]


def model_server() -> FakeModelServer:
    """Two models: the adapter reads the card right, the base does not."""
    server = FakeModelServer()

    def answer(body: dict[str, Any]) -> str:
        adapter = body["model"].startswith("cni")
        server.answered_by = "cni@1f3c9a2b4d5e" if adapter else "base"
        return "[4,6,8,10,13,14,16]" if adapter else json.dumps(_BASE)

    server.answers = [answer]
    return server


@dataclass
class Site:
    """A front that listens."""

    url: str
    server: FakeModelServer


def serve(
    reader: Callable[[], FakeReader] = SampleReader, fake: FakeModelServer | None = None, **settings: Any
) -> Iterator[Site]:
    """The app in a thread of its own, on a port that the system gave."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    fake = fake or model_server()
    http = httpx.AsyncClient(transport=httpx.MockTransport(fake), base_url="http://server")
    app = create_app(Settings(ocr_workers=1, **settings), ocr=reader, http=http)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        ends = time.monotonic() + 60
        while not server.started or httpx.get(f"{url}/ready").status_code != 200:
            assert time.monotonic() < ends, "the front did not start"
            time.sleep(0.05)
        yield Site(url, fake)
    finally:
        server.should_exit = True
        thread.join(30)
        listening.close()


@pytest.fixture
def site() -> Iterator[Site]:
    """A front without keys."""
    yield from serve()


@dataclass
class Seen:
    """One page, and what happened behind it."""

    page: Page
    site: Site
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, address: str = "/?lang=en") -> Page:
        """Go there and wait until documents and models are listed."""
        self.page.goto(self.site.url + address)
        self.page.wait_for_selector("#model option", state="attached")
        return self.page

    def read(self) -> None:
        """Choose the sample card and wait for its values."""
        self.page.set_input_files("#file", SAMPLE)
        self.page.wait_for_selector(".field input")
        self.page.wait_for_selector("#reading", state="hidden")


def _watch(page: Page, site: Site) -> Seen:
    seen = Seen(page, site)
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("console", lambda message: message.type in ("error", "warning") and seen.complaints.append(message.text))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', e => console.error('CSP ' + e.violatedDirective))"
    )
    return seen


# Of a module: while Playwright is open its event loop counts as running, and no asynchronous test can run.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, with a profile of its own that goes with it."""
    found = need("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(_FLAGS))
        yield browser
        browser.close()


def visit(browser: Browser, site: Site, **options: Any) -> Iterator[Seen]:
    """A fresh visitor; at the end the page must not have complained, and asked nobody but this front."""
    context = browser.new_context(accept_downloads=True, **options)
    seen = _watch(context.new_page(), site)
    yield seen
    context.close()
    foreign = [url for url in seen.requests if not url.startswith((site.url, f"blob:{site.url}"))]
    assert foreign == [] and seen.complaints == []


@pytest.fixture
def desk(browser: Browser, site: Site) -> Iterator[Seen]:
    """A browser on a desk."""
    yield from visit(browser, site, viewport=DESK)


@pytest.fixture
def phone(browser: Browser, site: Site) -> Iterator[Seen]:
    """A phone."""
    yield from visit(browser, site, viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)

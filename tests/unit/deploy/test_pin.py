"""`make pin`: tags become digests, once and again, from a registry that speaks as Docker's does."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from deploy.images.pin import FILES, PinError, ask_registry, pinned

ROOT = Path(__file__).resolve().parents[3]
ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


@pytest.mark.parametrize("name", FILES)
def test_every_foreign_image_of_our_files_is_found(name: str) -> None:
    asked: list[str] = []

    def digest(image: str, tag: str) -> str:
        asked.append(f"{image}:{tag}")
        return ONE

    text = (ROOT / name).read_text()
    once = pinned(text, digest)
    assert asked and all(image.startswith("docker.io/") for image in asked)
    assert once.count(ONE) == len(asked) == text.count("docker.io/")
    assert pinned(once, lambda image, tag: TWO) == once.replace(ONE, TWO), "a second run moves on"


def test_no_file_of_ours_with_a_foreign_image_is_left_out() -> None:
    files = [*(ROOT / "deploy").rglob("*.Dockerfile"), *(ROOT / "deploy").rglob("*.yaml")]
    foreign = {file.relative_to(ROOT).as_posix() for file in files if "docker.io/" in file.read_text()}
    assert foreign == set(FILES)


def test_our_own_images_stay() -> None:
    text = "    image: cni-server:cpu\n    image: cni-front\n"
    assert pinned(text, lambda image, tag: ONE) == text


class _Registry(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        if self.headers.get("Authorization") != "Bearer anybody":
            self.send_response(401)
            realm = f"http://{self.headers['Host']}/token"
            self.send_header("WWW-Authenticate", f'Bearer realm="{realm}",service="r",scope="repository:a/b:pull"')
        elif self.path == "/v2/a/b/manifests/1.0" and "image.index" in self.headers["Accept"]:
            self.send_response(200)
            self.send_header("Docker-Content-Digest", ONE)
        else:
            self.send_response(404)
        self.end_headers()

    def do_GET(self) -> None:
        assert self.path == "/token?service=r&scope=repository%3Aa%2Fb%3Apull", self.path
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"token": "anybody"}).encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def registry() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Registry)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()


def test_a_registry_that_wants_a_token(registry: str) -> None:
    assert ask_registry(f"{registry}/a/b", "1.0", scheme="http") == ONE


def test_an_image_that_is_not_there_is_named(registry: str) -> None:
    with pytest.raises(PinError, match=r"a/b:2\.0 cannot be looked up"):
        ask_registry(f"{registry}/a/b", "2.0", scheme="http")

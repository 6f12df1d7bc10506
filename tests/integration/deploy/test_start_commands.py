"""What the images start, started without a container: their own environment, entry point, command and health check."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.tiny_models import write_adapter, write_base

ROOT = Path(__file__).resolve().parents[3]
IMAGES = ROOT / "deploy" / "images"
# Of a container's own file system; here they are this test's.
_FOLDERS = ("PATH", "HOME", "XDG_CACHE_HOME")


class Image:
    """The stage `runtime` of a Dockerfile, with `python` and the entry script where they are here."""

    def __init__(self, name: str) -> None:
        text = (IMAGES / f"{name}.Dockerfile").read_text().split(" AS runtime\n")[1].replace("\\\n", " ")
        text = text.split("\nFROM ")[0]
        pairs = (pair.split("=", 1) for line in re.findall(r"(?m)^ENV (.+)$", text) for pair in line.split())
        self.environment = {name: value for name, value in pairs if name not in _FOLDERS}
        self.health = self._words(r"(?m)^HEALTHCHECK .*CMD (\[.+\])$", text)
        self.command = [*self._words(r"(?m)^ENTRYPOINT (\[.+\])$", text), *self._words(r"(?m)^CMD (\[.+\])$", text)]

    @staticmethod
    def _words(pattern: str, text: str) -> list[str]:
        entries = {name: ["sh", str(IMAGES / f"{name}.sh")] for name in ("front-entry", "server-entry")}
        here = {"python": [sys.executable], **entries}
        found = re.search(pattern, text)
        return [word for given in json.loads(found[1] if found else "[]") for word in here.get(given, [given])]


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    script = tmp_path / "secrets.sh"
    script.write_text((ROOT / "deploy/compose/secrets.sh").read_text())
    subprocess.run(["sh", str(script)], check=True, capture_output=True)
    return tmp_path / "secrets"


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_the_servers_command_takes_the_images_settings(tmp_path: Path, secrets: Path) -> None:
    """As far as the launch: that `python -m server` then serves is what tests/e2e/server start it for."""
    image, port = Image("server"), free_port()
    base = write_base(tmp_path / "base")
    write_adapter(tmp_path / "registry" / "cni")
    here = {
        "SERVER_MODEL": str(base), "SERVER_ADAPTERS_DIR": str(tmp_path / "registry"),
        "SERVER_KEYS_FILE": str(secrets / "server_keys"), "SERVER_PORT": port,
    }  # fmt: skip
    assert here.keys() <= image.environment.keys()
    ours = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}  # where the entry finds `python`
    done = subprocess.run(
        [*image.command, "explain"], cwd=tmp_path, env={**os.environ, **image.environment, **here, **ours},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "registry" / "cni-object").iterdir()), f"the entry puts what ships there: {done.stderr}"
    assert f"--host 0.0.0.0 --port {port}" in done.stdout
    assert f"--served-model-name {image.environment['SERVER_MODEL_NAME']}" in done.stdout


@contextmanager
def running(image: Image, folder: Path, environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Ended however the test ends."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            image.command, cwd=folder, env={**os.environ, **image.environment, **environment},
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(30)


@pytest.mark.e2e
def test_the_fronts_command_is_healthy_guarded_and_ends_when_told(tmp_path: Path, secrets: Path) -> None:
    image, port = Image("front"), free_port()
    own = image.environment["OCR_FRONT_PORT"]
    health = [word.replace(f":{own}/", f":{port}/") for word in image.health]
    assert health != image.health
    here = {"OCR_FRONT_PORT": port, "SECRETS_DIR": str(secrets), "OCR_FRONT_SERVER_URL": "http://127.0.0.1:9"}
    with running(image, tmp_path, here) as process:
        deadline = time.monotonic() + 120
        while subprocess.run(health, capture_output=True, check=False).returncode:
            assert process.poll() is None and time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.5)
        url = f"http://127.0.0.1:{port}/v1/extract"
        assert httpx.post(url, timeout=30).status_code == 401
        key = (secrets / "front_key").read_text().strip()
        with_key = httpx.post(url, headers={"Authorization": f"Bearer {key}"}, timeout=30)
        assert with_key.status_code not in {401, 403}, with_key.text
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in {0, -signal.SIGTERM}
    assert "Traceback" not in (tmp_path / "log").read_text()

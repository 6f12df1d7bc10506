"""The server serves a quantized base: it says so, takes the original's adapters and refuses another base's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from adapters.quantize.methods import METHODS
from adapters.quantize.run import Plan, quantize
from tests.support.live_server import LiveServer, free_port
from tests.support.tiny_models import manifest_for, write_adapter, write_base

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The original, and another base of the same shape."""
    root = tmp_path_factory.mktemp("bases")
    return write_base(root / "one", family="llama"), write_base(root / "two", family="llama", seed=1)


@pytest.fixture(scope="module")
def server(bases: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("server")
    quantize(Plan(bases[0], "one", METHODS["int8"], None, 1, 1), folder / "one-int8", lambda *_: None)
    (folder / "adapters").mkdir()
    port = free_port()
    live = LiveServer(
        f"http://127.0.0.1:{port}",
        folder,
        {
            "SERVER_MODEL": str(folder / "one-int8"),
            "SERVER_ADAPTERS_DIR": str(folder / "adapters"),
            "SERVER_PORT": str(port),
            "SERVER_MAX_LORAS": "2",
            "SERVER_KV_CACHE_GIB": "1",
            "SERVER_MAX_MODEL_LEN": "256",
        },
    )
    live.start()
    yield live
    live.stop()


def test_it_serves_the_originals_adapters_and_no_others(
    server: LiveServer, bases: tuple[Path, Path], tmp_path: Path
) -> None:
    one, two = bases
    assert "the base is one through int8 (8 bits)" in server.log.read_text()
    mine = write_adapter(tmp_path / "mine", manifest=manifest_for(one))
    revision = server.upload("cni", mine)
    with_adapter, alone = server.complete("cni"), server.complete("one-int8")
    assert with_adapter["model"] == f"cni@{revision}"
    assert with_adapter["choices"][0]["text"] != alone["choices"][0]["text"]
    theirs = write_adapter(tmp_path / "theirs", seed=2, manifest=manifest_for(two))
    with pytest.raises(AssertionError, match="fingerprint"):
        server.upload("other", theirs)
    assert httpx.get(f"{server.url}/ready", timeout=5).status_code == 200

"""One real server for all of these tests: vLLM with a tiny random Qwen3 and tiny adapters."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.auth.keys import Key, hash_secret
from server.auth.keys_edit import add_key
from tests.support.live_server import LiveServer, free_port
from tests.support.tiny_models import manifest_for, write_adapter, write_base

PROMPT = {"answer": "lines", "line": "{text} {index}\n", "suffix": "", "documents": {}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "e2e/server" in str(item.path):
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="package")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("models") / "tiny-base")


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "adapters").mkdir()
    for name, scope in (("boss", "admin"), ("front", "inference"), ("prometheus", "metrics")):
        add_key(folder / "keys.json", Key(id=name, sha256=hash_secret(name), scopes=frozenset({scope})))
    port = free_port()
    environment = {
        "SERVER_MODEL": str(tiny_base),
        "SERVER_ADAPTERS_DIR": str(folder / "adapters"),
        "SERVER_PORT": str(port),
        "SERVER_KEYS_FILE": str(folder / "keys.json"),
        "SERVER_KV_CACHE_GIB": "1",
        "SERVER_MAX_MODEL_LEN": "1024",
        # Greedy answers are compared letter by letter: in bfloat16 two tokens can be equally likely.
        "SERVER_DTYPE": "float32",
        "SERVER_MAX_LORAS": "4",
        "SERVER_MAX_CPU_LORAS": "10",
        "SERVER_MAX_METRIC_LABELS": "20",
        "SERVER_DRAIN_SECONDS": "60",
    }
    # Dropped in before the start: one for another base, one broken, one good.
    write_adapter(folder / "adapters" / "dropped", seed=77)
    write_adapter(folder / "adapters" / "broken").joinpath("adapter_model.safetensors").write_bytes(b"no")
    live = LiveServer(f"http://127.0.0.1:{port}", folder, environment)
    live.start()
    yield live
    live.stop()


@pytest.fixture(scope="package")
def revisions(server: LiveServer, tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Three revisions of `cni`; the alias means the first."""
    made = tmp_path_factory.mktemp("made")
    return [
        server.upload("cni", write_adapter(made / str(s), seed=s, manifest=manifest_for(tiny_base, prompt=PROMPT)))
        for s in (1, 2, 3)
    ]

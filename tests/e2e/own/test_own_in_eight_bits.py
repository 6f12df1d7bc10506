"""A quantized base: the server says so, takes the original's adapters and refuses another base's."""

import io
import tarfile
from pathlib import Path

import httpx
import pytest

from tests.support.tiny_models import manifest_for, write_adapter, write_base

from .conftest import Own

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1200)]


def _upload(own: Own, name: str, folder: Path) -> httpx.Response:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path in folder.iterdir():
            archive.add(path, path.name)
    files = {"file": ("a.tgz", packed.getvalue())}
    return httpx.post(f"{own.server}/v1/adapters/{name}/revisions", files=files, timeout=120)


def test_it_serves_the_originals_adapters_and_no_others(own: Own, tmp_path: Path) -> None:
    assert "the base is Qwen3-0.6B through int8 (8 bits)" in own.log.read_text()
    made = _upload(own, "mine", write_adapter(tmp_path / "mine", manifest=manifest_for(own.base, "mine")))
    assert made.status_code in {200, 201}, made.text
    with_adapter, alone = own.ask("mine"), own.ask(own.base.name)
    assert with_adapter["model"] == f"mine@{made.json()['revision']}"
    assert with_adapter["choices"][0]["text"] != alone["choices"][0]["text"]
    another = write_base(tmp_path / own.base.name, seed=1)
    theirs = write_adapter(tmp_path / "theirs", seed=2, manifest=manifest_for(another, "theirs"))
    refused = _upload(own, "theirs", theirs)
    assert refused.is_client_error and "fingerprint" in refused.text
    assert httpx.get(f"{own.server}/ready", timeout=5).status_code == 200

"""Revisions from S3, GCS and a hub, each a real client against a small server on loopback."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.small_hub import small_hub
from tests.support.tiny_models import write_adapter

ROUTE = "/v1/adapters/cni/revisions"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket `models`, reached by the environment alone, as in production."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    # Its buckets belong to the process, not to this server.
    httpx.post(f"http://{host}:{port}/moto-api/reset").raise_for_status()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem()
    system.mkdir("models")
    yield system
    server.stop()


def put(system: Any, folder: Path, name: str) -> None:
    for path in folder.iterdir():
        system.pipe(f"models/{name}/{path.name}", path.read_bytes())


async def test_s3(tmp_path: Path, start: Any, root: Path, s3: Any) -> None:
    put(s3, write_adapter(tmp_path / "good", seed=1), "good")
    s3.pipe("models/good/run.py", b"raise SystemExit")
    async with start(remote_sources="s3://models/") as server, server.client() as client:
        answer = await client.post(ROUTE, json={"path": "s3://models/good"})
        assert answer.status_code == 201, answer.text
        revision = answer.json()["revision"]
        assert (await server.ask("cni")).json()["model"] == f"cni@{revision}"
        assert not (root / "cni" / revision / "run.py").exists()
        # What was uploaded after a first look is seen.
        assert (await client.post(ROUTE, json={"path": "s3://models/later"})).status_code == 400
        put(s3, write_adapter(tmp_path / "later", seed=2), "later")
        assert (await client.post(ROUTE, json={"path": "s3://models/later"})).status_code == 201
        for outside in ("s3://models-of-others/good", "s3://models/../private/x", "gs://models/good"):
            assert (await client.post(ROUTE, json={"path": outside})).status_code == 403


async def test_what_s3_can_refuse(
    tmp_path: Path, start: Any, root: Path, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = write_adapter(tmp_path / "broken", seed=1)
    weights = broken / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    put(s3, broken, "broken")
    s3.pipe("models/pickle/adapter_config.json", b"{}")
    s3.pipe("models/pickle/adapter_model.bin", b"x")
    s3.pipe("models/readme/README.md", b"x")
    put(s3, write_adapter(tmp_path / "large", seed=3), "large")
    s3.pipe("models/large/table.json", bytes(2 << 20))
    async with start(remote_sources="s3://,dropbox://", max_upload_mib=1) as server, server.client() as client:

        async def refused(source: str) -> tuple[int, str, str]:
            answer = await client.post(ROUTE, json={"path": source})
            error = answer.json()["error"]
            assert "127.0.0.1" not in answer.text and "nobody" not in answer.text
            return answer.status_code, error["code"], error["message"]

        assert (await refused("s3://models/broken"))[:2] == (422, "safetensors")
        assert (await refused("s3://models/pickle"))[:2] == (422, "pickle")
        assert (await refused("s3://models/readme"))[:2] == (422, "config-missing")
        assert (await refused("s3://models/large"))[:2] == (422, "archive-size")
        assert "nothing at this source" in (await refused("s3://models/none"))[2]
        assert "nothing at this source" in (await refused("s3://no-such-bucket/none"))[2]
        assert "install the extra 'remote'" in (await refused("dropbox://models/good"))[2]
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        type(s3).clear_instance_cache()
        assert "cannot be reached" in (await refused("s3://models/good"))[2]
    assert not list((root / ".incoming").iterdir()) and not (root / "cni").exists()


def add(root: Path, base: Path, source: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The command, in a process of its own: these clients read their addresses once, at import."""
    command = [sys.executable, "-m", "adapters", "registry", "--registry", str(root), "add", "cni", source]
    variables = {**os.environ, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_TELEMETRY": "1", **environment}
    return subprocess.run(
        [*command, "--base", str(base)], env=variables, capture_output=True, text=True, timeout=120, check=False
    )


def nothing_is_left(root: Path) -> bool:
    return not list((root / ".incoming").iterdir()) and not (root / "cni").exists()


def test_a_hub(tmp_path: Path, root: Path, base_folder: Path) -> None:
    write_adapter(tmp_path / "hub" / "acme" / "cni", seed=1)
    with small_hub(tmp_path / "hub", missing_bytes=40) as address:
        cut = add(root, base_folder, "hf://acme/cni", HF_ENDPOINT=address)
    assert cut.returncode == 2 and nothing_is_left(root)
    assert len(cut.stderr.strip().splitlines()) == 1, cut.stderr
    with small_hub(tmp_path / "hub") as address:
        missing = add(root, base_folder, "hf://acme/none", HF_ENDPOINT=address)
        assert missing.returncode == 2 and "nothing at this source" in missing.stderr and nothing_is_left(root)
        offline = add(root, base_folder, "hf://acme/cni", HF_ENDPOINT=address, HF_HUB_OFFLINE="1")
        assert offline.returncode == 2 and "HF_HUB_OFFLINE" in offline.stderr
        done = add(root, base_folder, "hf://acme/cni", HF_ENDPOINT=address)
    assert done.returncode == 0, done.stderr
    revision = json.loads(done.stdout)["revision"]
    assert (root / "cni" / revision / "adapter_model.safetensors").is_file()


def test_google_storage(tmp_path: Path, root: Path, base_folder: Path) -> None:
    from gcp_storage_emulator.server import create_server

    from tests.e2e.conftest import free_port

    port = free_port()
    server = create_server("127.0.0.1", port, in_memory=True, default_bucket="models")
    server.start()
    try:
        upload = "import fsspec,sys,pathlib\nfs=fsspec.filesystem('gs')\n"
        upload += "for p in pathlib.Path(sys.argv[1]).iterdir(): fs.pipe(f'models/cni/{p.name}', p.read_bytes())"
        # Without the second, each call asks Google's other interface first, which the emulator does not speak.
        environment = {
            "STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}",
            "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
        }
        folder = write_adapter(tmp_path / "made", seed=1)
        subprocess.run(
            [sys.executable, "-c", upload, str(folder)], env={**os.environ, **environment}, check=True, timeout=120
        )
        missing = add(root, base_folder, "gs://models/none", **environment)
        assert missing.returncode == 2 and nothing_is_left(root), missing.stderr
        done = add(root, base_folder, "gs://models/cni", **environment)
    finally:
        server.stop()
    assert done.returncode == 0, done.stderr
    assert (root / "cni" / json.loads(done.stdout)["revision"]).is_dir()

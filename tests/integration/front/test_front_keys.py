"""The keys file: the server's own form, scopes, adapters, limits with 429 and Retry-After."""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from ocr_frontend.auth.keys import Key, Limits
from ocr_frontend.auth.limits import Limiter
from ocr_frontend.cli.main import main
from ocr_frontend.errors import RateLimited
from tests.integration.front.fakes import FakeModelServer, Front, picture, running

ALL = {"id": "all", "scopes": ["inference"]}


def keys_file(folder: Path, *entries: dict[str, Any]) -> Path:
    """Each key's secret is `secret-` and its id."""
    keys = [{"sha256": hashlib.sha256(f"secret-{entry['id']}".encode()).hexdigest(), **entry} for entry in entries]
    file = folder / "keys.json"
    file.write_text(json.dumps({"keys": keys}))
    return file


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer secret-{name}"}


async def ask(front: Front, name: str, **form: str) -> Any:
    files = {"image": ("a.jpg", picture(), "image/jpeg")}
    return await front.client.post(
        "/v1/extract", files=files, data={"document": "cni-2018-recto", **form}, headers=bearer(name)
    )


def test_one_file_serves_both_services(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ocr_frontend.auth.keys import read_keys
    from server.__main__ import main as server_main

    file = tmp_path / "keys.json"
    options = ["--id", "bank", "--scope", "inference", "--adapter", "cni", "--concurrency", "2"]
    monkeypatch.setattr("sys.argv", ["server", "keys", "add", str(file), *options])
    assert server_main() == 0
    secret = capsys.readouterr().out.strip()
    key = read_keys(file).find(f"Bearer {secret}")
    assert key is not None and (key.id, key.limits.concurrency, key.adapters) == ("bank", 2, {"cni"})
    assert read_keys(file).find("Bearer no") is None and secret not in file.read_text()


async def test_scopes_and_adapters(tmp_path: Path) -> None:
    file = keys_file(
        tmp_path, ALL, {"id": "watch", "scopes": ["metrics"]}, {"id": "own", "scopes": ["inference"], "adapters": ["x"]}
    )
    async with running(keys_file=file) as front:
        assert (await ask(front, "all")).status_code == 200
        assert (await ask(front, "nobody")).status_code == 401
        refused = await ask(front, "watch")
        assert refused.status_code == 403 and refused.json()["error"]["code"] == "forbidden"
        assert (await ask(front, "own")).status_code == 403
        assert (await ask(front, "own", model="cni@1f3c9a2b4d5e")).status_code == 403
        assert (await ask(front, "own", model="none")).status_code == 422
        names = [m["id"] for m in (await front.client.get("/models", headers=bearer("own"))).json()["models"]]
        assert names == ["base"]
        listed = (await front.client.get("/v1/documents", headers=bearer("own"))).json()["documents"]
        assert {model for each in listed for model in each["models"]} == {"base"}
        assert (await front.client.get("/metrics")).status_code == 401
        assert (await front.client.get("/metrics", headers=bearer("watch"))).status_code == 200
        assert (await front.client.get("/health")).status_code == 200


async def test_too_many_requests_at_a_time(tmp_path: Path) -> None:
    server = FakeModelServer()
    server.delay = 30
    file = keys_file(tmp_path, ALL | {"limits": {"concurrency": 1}}, {"id": "free", "scopes": ["inference"]})
    async with running(server=server, keys_file=file) as front:
        first = asyncio.create_task(ask(front, "all"))
        await asyncio.wait_for(server.asked.wait(), 20)
        refused = await ask(front, "all")
        assert refused.status_code == 429 and refused.json()["error"]["code"] == "rate_limited"
        assert int(refused.headers["retry-after"]) >= 1
        server.delay = 0
        assert (await ask(front, "free")).status_code == 200  # a limit is one key's
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)


def test_rates_and_tokens() -> None:
    now = [0.0]
    limiter = Limiter(lambda: now[0])
    rate = Key(id="r", sha256="0" * 64, scopes=frozenset(), limits=Limits(requests_per_second=0.5))
    with limiter.admit(rate):
        pass
    with pytest.raises(RateLimited) as refused, limiter.admit(rate):
        pass
    assert refused.value.retry_after == 2
    now[0] += 2
    with limiter.admit(rate):
        pass
    tokens = Key(id="t", sha256="0" * 64, scopes=frozenset(), limits=Limits(tokens_per_minute=100))
    with limiter.admit(tokens) as used:
        used.tokens = 100
    with pytest.raises(RateLimited) as refused, limiter.admit(tokens):
        pass
    assert refused.value.retry_after == 60
    now[0] += 60
    with limiter.admit(tokens):
        pass


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"keys": []}', "holds no key"),
        ("{", "Invalid JSON"),
        ('{"keys": [{"id": "a b", "sha256": "0", "scopes": []}]}', "keys.0.id"),
        (None, "cannot be read"),
    ],
)
def test_a_bad_file_stops_the_start_with_one_line(
    tmp_path: Path, text: str | None, says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "keys.json"
    if text is not None:
        file.write_text(text)
    monkeypatch.setenv("OCR_FRONT_KEYS_FILE", str(file))
    assert main(["serve"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("ocr_frontend: OCR_FRONT_KEYS_FILE: ") and error.count("\n") == 1 and says in error

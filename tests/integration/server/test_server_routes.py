"""vLLM's real application with our plugin in it: what it would serve, route by route."""

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from server.launch import plan
from server.machine import look
from server.routes.table import RULES
from server.settings import Settings

pytestmark = pytest.mark.slow

# What vLLM 0.32 offers besides, with and without its switches.
CLOSED = [
    "/v1/load_lora_adapter",
    "/v1/unload_lora_adapter",
    "/v1/responses",
    "/v1/messages",
    "/tokenize",
    "/detokenize",
    "/ping",
    "/invocations",
    "/load",
    "/server_info",
    "/v1/chat/completions/render",
    "/inference/v1/generate",
    "/scale_elastic_ep",
    "/is_scaling_elastic_ep",
    "/start_profile",
    "/reset_prefix_cache",
    "/collective_rpc",
    "/openapi.json",
    "/docs",
    "/redoc",
    "/v1/embeddings",
    "/pooling",
    "/score",
    "/kv_event_sources",
    "/v1/completions/",
    "/metrics/",
    "//v1/models",
]


def vllms_application(base_folder: Path) -> tuple[FastAPI, Any]:
    """As vLLM builds it from our command line, and its parsed options."""
    from vllm.entrypoints.launchers.app import build_app

    try:
        from vllm.entrypoints.launchers.cli_args import make_arg_parser
    except ImportError:  # 0.33
        from vllm.entrypoints.common.cli_args import make_arg_parser
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    command = plan(Settings(model=str(base_folder)), look(), True).command
    args = make_arg_parser(FlexibleArgumentParser()).parse_args(command[3:])
    return build_app(args, ("generate",), None), args


@pytest.fixture
async def app(monkeypatch: pytest.MonkeyPatch, base_folder: Path, root: Path) -> FastAPI:
    """Built by vLLM as it builds it for a server, up to the engine, which is not there."""
    monkeypatch.setenv("VLLM_PLUGINS", "cni_routes")
    monkeypatch.setenv("SERVER_MODEL", str(base_folder))
    monkeypatch.setenv("SERVER_ADAPTERS_DIR", str(root))
    monkeypatch.setattr(sys, "argv", ["server"])
    # One process builds several applications here; a server builds one.
    monkeypatch.setattr("server.vllm.endpoint.get_prometheus_registry", CollectorRegistry)
    built, args = vllms_application(base_folder)

    async def workers(method: str) -> list[dict[str, str]]:
        assert method == "cni_begin"
        return [{"platform": "cpu", "wrapper": "GroupedPunicaWrapper", "kernel": "off", "step": "off"}]

    client = SimpleNamespace(
        collective_rpc=workers,
        errored=False,
        model_config=SimpleNamespace(max_model_len=1024),
        vllm_config=SimpleNamespace(cache_config=SimpleNamespace(kv_cache_memory_bytes=1 << 20)),
    )
    built.state.openai_serving_models = SimpleNamespace(lora_requests={}, lora_id_counter=None)
    (plugin,) = built.state.endpoint_plugins
    await plugin.init_state(client, built.state, args)
    yield built
    for task in plugin._tasks:
        task.cancel()


async def test_every_route_is_on_the_allow_list_and_every_rule_has_its_route(app: FastAPI) -> None:
    walked: set[tuple[str, str]] = set()
    for route in app.routes:
        methods, path = getattr(route, "methods", None), getattr(route, "path", None)
        assert methods, f"{path} is no plain route: a mount or a websocket answers what nobody allowed"
        walked |= {(method, str(path)) for method in methods if method != "HEAD"}
    assert walked == {(rule.method, rule.path) for rule in RULES}


async def test_nothing_else_of_vllm_answers(app: FastAPI) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        for path in CLOSED:
            for method in ("GET", "POST"):
                answer = await client.request(method, path, json={})
                assert answer.status_code == 404, (method, path)
                assert answer.json()["error"]["code"] == "no_such_route", path


async def test_errors_are_ours_not_vllms(app: FastAPI) -> None:
    """vLLM's own validation error repeats what the caller sent; ours names the place only."""
    secret = "MBARGA"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        bodies: list[Any] = [
            {"model": "x", "prompt": {"a": secret}},
            {"messages": secret},
            secret,
            {"temperature": secret},
        ]
        for route in ("/v1/completions", "/v1/chat/completions"):
            for body in bodies:
                answer = await client.post(route, json=body)
                error = answer.json()["error"]
                assert answer.status_code == 400, body
                assert secret not in answer.text and error["message"].count("\n") == 0
        unknown = await client.post("/v1/completions", json={"model": "nobody", "prompt": "x"})
        assert unknown.status_code == 404 and unknown.json()["error"]["code"] == "model_not_found"
        assert (await client.get("/metrics")).status_code == 200
        # The start's last steps run in the background.
        async with asyncio.timeout(30):
            while (await client.get("/ready")).status_code != 200:
                await asyncio.sleep(0.05)


async def test_a_vllm_that_forgets_our_plugin_has_no_open_route(
    monkeypatch: pytest.MonkeyPatch, base_folder: Path
) -> None:
    monkeypatch.setenv("VLLM_PLUGINS", "")
    app, _ = vllms_application(base_folder)
    assert not getattr(app.state, "endpoint_plugins", ())
    paths = {path for route in app.routes if (path := getattr(route, "path", None))}
    assert "/v1/completions" in paths
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        for path in (*paths, *CLOSED):
            for method in ("GET", "POST"):
                assert (await client.request(method, path, json={})).status_code == 503, path


MARK = "MBARGA"
CHAT = {"messages": [{"role": "user", "content": MARK}]}


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
async def test_a_body_of_another_kind_is_told_so(app: FastAPI, kind: str | None) -> None:
    async with client_of(app) as client:
        for path in ("/v1/completions", "/v1/chat/completions"):
            answer = await client.post(path, content=b'{"prompt": "x"}', headers={"Content-Type": kind} if kind else {})
            assert answer.status_code == 415 and "application/json" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "kind", ["application/json ; charset=utf-8", "APPLICATION/JSON", "application/json;charset=utf8"]
)
async def test_json_is_json_however_it_is_written(app: FastAPI, kind: str) -> None:
    raw = b'{"model": "nobody", "prompt": "x"}'
    async with client_of(app) as client:
        answer = await client.post("/v1/completions", content=raw, headers={"Content-Type": kind})
        assert answer.json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"structured_outputs": []}, "structured_outputs"),
        ({"structured_outputs": MARK}, "structured_outputs"),
        ({"structured_outputs": 5}, "structured_outputs"),
        ({"structured_outputs": {}}, "structured_outputs"),
        ({"structured_outputs": {"json": {"not": {}}}}, "structured_outputs"),
        ({"structured_outputs": {"grammar": "root ::= root"}}, "structured_outputs"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": [MARK]}}},
            "response_format",
        ),
        ({"response_format": {"type": "json_schema"}}, "response_format"),
        ({"response_format": MARK}, "response_format"),
        ({"stop": ["a", "b", "c", "d", MARK]}, "stop"),
        ({"stop": {"a": MARK}}, "stop"),
        ({"prompt": {"a": MARK}}, "prompt"),
        ({"prompt": [MARK, 5]}, "prompt"),
        ({"logit_bias": MARK}, "logit_bias"),
        ({"bad_words": MARK}, "bad_words"),
        ({"logprobs": MARK}, "logprobs"),
        ({"temperature": MARK}, "temperature"),
        ({"n": MARK}, "n"),
        ({"priority": 10**25}, "priority"),
        ({"cache_salt": f"{MARK}/@"}, "cache_salt"),
        ({"stream_options": MARK, "stream": True}, "stream_options"),
    ],
)
async def test_what_is_wrong_is_named_in_the_callers_words(app: FastAPI, body: dict[str, Any], field: str) -> None:
    async with client_of(app) as client:
        answer = await client.post("/v1/completions", json={"model": "tiny-base", "prompt": "x", **body})
    error = answer.json()["error"]
    assert answer.status_code == 400 and error["message"].startswith(field) and error["param"] == field
    assert_plain(answer.text)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"messages": [{"role": "user", "content": None}]}, "messages"),
        ({"messages": MARK}, "messages"),
        ({"tool_choice": MARK}, "tool_choice"),
        ({"tools": MARK}, "tools"),
        ({"max_completion_tokens": MARK}, "max_completion_tokens"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": MARK, "schema": 5}}}, "response_format"),
    ],
)
async def test_so_it_is_in_chats(app: FastAPI, body: dict[str, Any], field: str) -> None:
    async with client_of(app) as client:
        answer = await client.post("/v1/chat/completions", json={"model": "tiny-base", **CHAT, **body})
    error = answer.json()["error"]
    assert answer.status_code == 400 and error["message"].startswith(field), error
    assert_plain(answer.text)


@pytest.mark.parametrize("name", ["prompt", "stop", "user", "cache_salt", "model", "suffix", "structured_outputs"])
async def test_half_a_surrogate_is_no_text(app: FastAPI, name: str) -> None:
    raw = '{"model": "tiny-base", "prompt": "x", "%s": {"json": "\\ud83d"}}' if name == "structured_outputs" else ""
    raw = raw or '{"model": "tiny-base", "prompt": "x", "%s": "\\uD83D"}'
    async with client_of(app) as client:
        headers = {"Content-Type": "application/json"}
        answer = await client.post("/v1/completions", content=raw % name, headers=headers)
        assert answer.status_code == 400 and answer.json()["error"]["message"].startswith(f"{name}: ")
        whole = await client.post(
            "/v1/completions", content='{"model": "\\ud83d\\ude00", "prompt": "x"}', headers=headers
        )
        assert whole.json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"5", b"{", b'{"a": NaN}', b"\xff\xfe", b"[" * 100_000, b'{"a": ' * 200 + b"1" + b"}" * 200]
)
async def test_what_is_no_json_object_is_one_sentence(app: FastAPI, raw: bytes) -> None:
    async with client_of(app) as client:
        answer = await client.post("/v1/completions", content=raw, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert_plain(answer.text)


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


def assert_plain(text: str) -> None:
    """Nothing of the request, nothing of pydantic's and vLLM's insides, one line."""
    assert not any(word in text for word in (MARK, "function-wrap", "Param", "pydantic", "Traceback", "<path>"))
    assert "\\n" not in text


def test_how_vllm_tells_of_a_failure_in_a_stream() -> None:
    from vllm.entrypoints.generate.base.serving import GenerateBaseServing

    from server.streams import STREAM_ERROR

    serving = GenerateBaseServing.__new__(GenerateBaseServing)
    line = f"data: {serving.create_streaming_error_response('no')}\n\n"
    assert line.encode().startswith(STREAM_ERROR)

"""HTTP cases on a real engine: what it refuses is a 400 in plain words, what it answers is what was asked for."""

import contextlib
import json
import time
from typing import Any

import httpx
import pytest

from tests.support.live_server import LiveServer

MARK = "MBARGA"
SCHEMA = {
    "type": "object",
    "properties": {
        "autorité": {"type": "string", "maxLength": 5},
        "n": {"type": "integer", "minimum": 0, "maximum": 9},
    },
    "required": ["autorité", "n"],
}


def post(server: LiveServer, path: str = "/v1/completions", **body: Any) -> httpx.Response:
    with server.client() as client:
        return client.post(path, json={"model": "cni", "prompt": "a", "max_tokens": 40, **body})


def test_structured_outputs_are_compact_json_with_any_keys(server: LiveServer, revisions: list[str]) -> None:
    for body in (
        {"structured_outputs": {"json": SCHEMA}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}},
    ):
        text = post(server, max_tokens=120, **body).json()["choices"][0]["text"]
        # A random model writes control characters, too, where xgrammar bounds a text's length.
        assert json.loads(text, strict=False).keys() == {"autorité", "n"}
        assert text.startswith('{"autorité":"') and '","n":' in text and text.endswith("}")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "body",
    [
        {"structured_outputs": {"grammar": "root ::= root"}},
        {"structured_outputs": {"json": {"$ref": "#"}}},
        {"structured_outputs": {"regex": r"[^\s\S]"}},
        {"structured_outputs": {"json": {"type": "integer", "multipleOf": 2}}},
        {"logit_bias": {"99999999": 5}},
        {"bad_words": [MARK, ""]},
        {"prompt": [1, 2, 99_999_999]},
        {"prompt": f"{MARK} " * 3000},
        {"logprobs": 9999},
        {"top_p": 5},
        {"temperature": -1},
        {"n": 2},
    ],
    ids=lambda body: next(iter(body)) if isinstance(body, dict) else str(body),
)
def test_what_is_refused_is_a_status_and_repeats_nothing(
    server: LiveServer, revisions: list[str], body: dict[str, Any], stream: bool
) -> None:
    answer = post(server, stream=stream, **body)
    assert answer.status_code == 400, answer.text
    message = answer.json()["error"]["message"]
    assert MARK not in answer.text and "\n" not in message and message.endswith(".")
    assert server.complete("cni")["choices"]  # and the engine lives


def test_an_answers_text_is_what_was_generated(server: LiveServer, revisions: list[str]) -> None:
    """The prompt's token ids end inside a character; its text must not come back."""
    with server.client() as client:
        echoed = client.post(
            "/v1/completions",
            json={"model": "tiny-base", "prompt": f"{MARK}é", "max_tokens": 1, "return_token_ids": True},
        ).json()
    ids = echoed["choices"][0]["prompt_token_ids"]
    for cut in (ids, ids[:-1]):
        answer = post(server, prompt=cut, max_tokens=12, ignore_eos=True).json()
        assert MARK not in answer["choices"][0]["text"]


def test_foreign_headers_do_not_reach_the_engine(server: LiveServer, revisions: list[str]) -> None:
    headers = {"X-Vllm-Priority": "9" * 25, "X-data-parallel-rank": "9" * 25}
    with server.client() as client:
        answer = client.post("/v1/completions", json={"model": "cni", "prompt": "a"}, headers=headers)
        assert answer.status_code == 200
        assert [client.head(path).status_code for path in ("/health", "/ready", "/v1/models")] == [200] * 3


def test_what_serves_lora_is_said(server: LiveServer) -> None:
    said = httpx.get(f"{server.url}/ready", timeout=30).json()["lora"]
    assert said["wrapper"] == "GroupedPunicaWrapper" and said["form"] == "bf16"


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_broken_off_is_charged(server: LiveServer, revisions: list[str], stream: bool) -> None:
    def broken_off() -> float:
        with server.client("prometheus") as client:
            lines = client.get("/metrics").text.splitlines()
        wanted = 'cni_server_key_tokens_total{direction="broken_off",key="front"}'
        return sum(float(line.split()[-1]) for line in lines if line.startswith(wanted))

    before = broken_off()
    body = {"model": "cni", "prompt": "a", "max_tokens": 1000, "ignore_eos": True, "stream": stream}
    charged = 0.0
    # On any machine: with the shortest patience nothing may have begun, with the longest all may be written.
    for patience in (0.05, 0.1, 0.2, 0.4, 0.8):
        with server.client() as client:
            if stream:
                with client.stream("POST", "/v1/completions", json=body) as answer:
                    for number, _ in enumerate(answer.iter_lines()):
                        if number > 20:
                            break
            else:
                with contextlib.suppress(httpx.ReadTimeout):
                    client.post("/v1/completions", json=body, timeout=httpx.Timeout(30, read=patience))
        deadline = time.monotonic() + 10
        while (charged := broken_off() - before) == 0 and time.monotonic() < deadline:
            time.sleep(0.2)
        if charged:
            break
    # The prompt's one, and what was written until then: less than all.
    assert 1 <= charged < 1001

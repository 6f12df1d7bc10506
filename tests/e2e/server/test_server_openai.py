"""The `openai` client works against the server unchanged."""

import openai
import pytest

from tests.support.live_server import LiveServer


def connect(server: LiveServer, key: str = "front") -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0, timeout=120)


def test_models_completions_chat_and_streams(server: LiveServer, revisions: list[str]) -> None:
    client, exact = connect(server), f"cni@{revisions[0]}"
    models = {model.id for model in client.models.list()}
    assert {"tiny-base", "cni", "dropped", *(f"cni@{revision}" for revision in revisions)} <= models
    assert not any(name.startswith("broken") for name in models)
    assert client.models.retrieve("cni").id == "cni"

    plain = client.completions.create(model="cni", prompt="hello", max_tokens=6)
    assert plain.model == exact and plain.usage is not None and plain.usage.prompt_tokens == 5
    again = client.completions.create(model=exact, prompt="hello", max_tokens=6)
    assert again.choices[0].text == plain.choices[0].text, "adapters are greedy unless told otherwise"
    chunks = list(client.completions.create(model="cni", prompt="hello", max_tokens=6, stream=True))
    assert {chunk.model for chunk in chunks} == {exact}
    assert "".join(chunk.choices[0].text for chunk in chunks) == plain.choices[0].text

    chat = client.chat.completions.create(model="cni", messages=[{"role": "user", "content": "hi"}], max_tokens=4)
    assert chat.model == exact
    parts = client.chat.completions.create(
        model="tiny-base", messages=[{"role": "user", "content": "hi"}], max_tokens=4, stream=True
    )
    assert {part.model for part in parts} == {"tiny-base"}


def test_wrong_key_wrong_scope_wrong_model_wrong_body(server: LiveServer, revisions: list[str]) -> None:
    with pytest.raises(openai.AuthenticationError):
        connect(server, "nobody").models.list()
    with pytest.raises(openai.PermissionDeniedError):
        connect(server, "boss").models.list()
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        connect(server).completions.create(model="nothing", prompt="x")
    with pytest.raises(openai.NotFoundError, match="safetensors"):
        connect(server).completions.create(model="broken", prompt="x")
    with pytest.raises(openai.BadRequestError):
        connect(server).completions.create(model="cni", prompt="x", max_tokens=100_000)


def test_structured_answers(server: LiveServer, revisions: list[str]) -> None:
    schema = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 9}, "minItems": 2, "maxItems": 2}
    answer = server.complete("cni", max_tokens=24, structured_outputs={"json": schema})
    assert answer["choices"][0]["text"].replace(" ", "").startswith("[")


def test_adapters_answer_differently_from_the_base_and_from_each_other(
    server: LiveServer, revisions: list[str]
) -> None:
    names = ["tiny-base", "dropped", *(f"cni@{revision}" for revision in revisions)]
    answers = {name: server.complete(name, logprobs=1)["choices"][0]["logprobs"]["token_logprobs"] for name in names}
    assert len({str(values) for values in answers.values()}) == len(names)

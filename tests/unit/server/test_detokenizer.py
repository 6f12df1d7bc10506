"""What an answer's text begins with when the prompt's token ids end inside a character: what was generated."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from transformers import AutoTokenizer
from vllm.v1.engine.detokenizer import FastIncrementalDetokenizer

from server.vllm import detokenizer
from tests.support.tiny_models import write_base


@pytest.fixture
def mended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FastIncrementalDetokenizer, "__init__", FastIncrementalDetokenizer.__init__)
    detokenizer.mend()
    detokenizer.mend()


def answer(tokenizer: Any, prompt: list[int], generated: list[int]) -> str:
    parameters = SimpleNamespace(
        stop=[], min_tokens=0, include_stop_str_in_output=False, skip_special_tokens=True,
        spaces_between_special_tokens=True,
    )  # fmt: skip
    request = SimpleNamespace(prompt_token_ids=prompt, request_id="x", sampling_params=parameters)
    stream = FastIncrementalDetokenizer(tokenizer, request)
    return "".join(stream.decode_next(token) for token in generated)


def test_the_prompts_text_never_comes_back(mended: None, tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(write_base(tmp_path / "base"))
    text = "MBARGA é😀 ok"
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert len(ids) > len(text)  # bytes
    for cut in range(1, len(ids)):
        said = answer(tokenizer, ids[:cut], ids[cut:])
        # A character that the prompt began and the answer ended is the answer's.
        begun = tokenizer.decode(ids[:cut]).rstrip("\ufffd")
        assert begun + said == text, cut
    half = ids.index(ids[-8]) and next(n for n in range(len(ids)) if tokenizer.decode(ids[:n]).endswith("\ufffd")) - 1
    assert answer(tokenizer, ids[half : half + 1], ids[half + 1 :]).endswith("ok")  # nothing but half a character
    assert answer(tokenizer, [], ids) == text

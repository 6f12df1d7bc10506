"""What vLLM refuses is said in a caller's words, once, and holds nothing of the request."""

import pytest

from server.vllm.engine_errors import _SAID, plain_sentence

MARK = "MBARGA"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (f"n must be 1 when using greedy sampling, got {MARK}.", "temperature above 0"),
        ("This model's maximum context length is 1024 tokens. However, you requested 2000 tokens", "of 1024 tokens"),
        (f"n must be at least 1, got {MARK}", "n: must be at least 1"),
        (f"stop cannot contain an empty string. {MARK}", "stop: "),
        (f"Token id {MARK} is out of vocabulary", "prompt: "),
        (f"something new about {MARK}", "does not take this request"),
        (MARK, "does not take this request"),
    ],
)
def test_it_is_translated_without_its_content(theirs: str, ours: str) -> None:
    said = plain_sentence(theirs)
    assert ours in said and MARK not in said and said.endswith(".") and "\n" not in said
    assert plain_sentence(said) == said, "an error passes here twice"


def test_every_sentence_of_ours_stays_what_it_is() -> None:
    for _, said in _SAID:
        whole = said.format(most="1024")
        assert plain_sentence(whole) == whole

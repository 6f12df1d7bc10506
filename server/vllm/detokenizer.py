"""The text of an answer is what was generated, also where the prompt's token ids end inside a character.

vLLM primes its decode stream with the whole prompt. A prompt that ends in half a character has no text yet that the
stream could set aside, so the first token that completes it brings the prompt's text along. Here the stream is primed
with what is text, and the rest of the prompt is stepped through.
"""

from collections.abc import Callable
from typing import Any

import tokenizers.decoders
from vllm.v1.engine.detokenizer import FastIncrementalDetokenizer

from server.cpu_lora.patching import patch_once

_HALF = "\ufffd"
# Tokens of one unfinished character at most: a character has four bytes.
_LONGEST = 4


def mend() -> None:
    """Let vLLM's detokenizer begin behind the prompt, once."""
    patch_once(FastIncrementalDetokenizer, "__init__", _behind)


def _behind(stock: Callable[..., None]) -> Callable[..., None]:
    def __init__(self: Any, tokenizer: Any, request: Any) -> None:
        stock(self, tokenizer, request)
        ids = request.prompt_token_ids
        if ids:
            behind = stream_behind(self.tokenizer, ids, self.skip_special_tokens)
            self.stream = self.stream if behind is None else behind

    return __init__


def stream_behind(tokenizer: Any, ids: list[int], skip_special: bool) -> Any | None:
    """A decode stream that has seen `ids` and gives none of their text; None where vLLM's own does that."""
    if not tokenizer.decode(ids[-_LONGEST:], skip_special_tokens=skip_special).endswith(_HALF):
        return None
    for kept in range(len(ids) - 1, max(-1, len(ids) - 1 - _LONGEST), -1):
        text = tokenizer.decode(ids[:kept], skip_special_tokens=skip_special)
        if kept and text and not text.endswith(_HALF):
            stream = tokenizers.decoders.DecodeStream(ids=ids[:kept], skip_special_tokens=skip_special)
            for token in ids[kept:]:
                stream.step(tokenizer, token)
            return stream
    # Nothing but halves, as far as a character can reach back: the prompt gives no text at all.
    return tokenizers.decoders.DecodeStream(skip_special_tokens=skip_special)

"""How sure the model was of each element of its answer, from the tokens that it is written in."""

import json
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ocr_frontend.llm.client import Tokens
from ocr_frontend.llm.contract import Contract

_SPACE = re.compile(r"[\s,:]*")
_CUT = "\N{REPLACEMENT CHARACTER}"


def element_logprobs(text: str, tokens: Tokens | None, contract: Contract, fields: Sequence[str]) -> dict[str, float]:
    """Field name to the logarithm of the probability of its element with the sign behind it; empty without tokens.

    The sign behind belongs to it: `3` may go on as `35`, and only the comma says that it does not.
    """
    if tokens is None or not tokens.tokens or len(tokens.tokens) != len(tokens.token_logprobs):
        return {}
    spans = _spans(text, contract.answer == "object")
    at = list(_offsets(text, tokens.tokens))
    found: dict[str, float] = {}
    for place, (key, start, end) in enumerate(spans):
        name = key if key is not None else fields[place] if place < len(fields) else None
        if name is not None:
            parts = (p for (a, b), p in zip(at, tokens.token_logprobs, strict=True) if a <= end and b > start)
            found[name] = sum(part for part in parts if part is not None)
    return found


def _spans(text: str, keyed: bool) -> list[tuple[str | None, int, int]]:
    """Key, begin and end of each element of a JSON array or object that `answers.parse` has read."""
    decoder, spans, at = json.JSONDecoder(), [], text.index("{" if keyed else "[") + 1
    try:
        while text[at : at + 1] not in ("]", "}", ""):
            key = None
            if keyed:
                key, at = decoder.raw_decode(text, at)
                at = _after_space(text, at)
            _, end = decoder.raw_decode(text, at)
            spans.append((key, at, end))
            at = _after_space(text, end)
    except ValueError:
        return []
    return spans


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _offsets(text: str, tokens: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Begin and end of each token in the text.

    A character that is cut over tokens comes as replacement characters, and the end token is not in the text. What
    matches from the front and from the back is placed exactly, and the tokens between them all cover what is between.
    """
    spoken = len(tokens) - (not text.endswith(tokens[-1]) and _CUT not in tokens[-1])
    begins, ends = [0], [len(text)]
    for token in tokens[:spoken]:
        if _CUT in token or not text.startswith(token, begins[-1]):
            break
        begins.append(begins[-1] + len(token))
    front = len(begins) - 1
    for token in reversed(tokens[front:spoken]):
        if _CUT in token or not text.endswith(token, begins[-1], ends[-1]):
            break
        ends.append(ends[-1] - len(token))
    yield from pairwise(begins)
    yield from ((begins[-1], ends[-1]) for _ in range(spoken - front - len(ends) + 1))
    yield from pairwise(reversed(ends))
    yield from ((len(text) + 1, len(text) + 1) for _ in range(len(tokens) - spoken))

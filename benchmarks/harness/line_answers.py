"""How the front holds answers of line numbers to their form (ocr_frontend/llm/answers.py), where only a server runs."""

from __future__ import annotations

from collections.abc import Sequence

_TEXT = r'"[^"\\\x00-\x1f]*"'


def form(joined: Sequence[int], lines: int) -> str:
    """A regular expression: an element a field; `joined`: of each field, how many lines one value may take."""
    index = "|".join(map(str, range(lines)))
    elements = [rf"(?:null|{index}|\[(?:{index})(?:,(?:{index})){{1,{most - 1}}}\]|{_TEXT})" for most in joined]
    return r"\[" + ",".join(elements) + r"\]"

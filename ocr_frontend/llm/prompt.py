"""From OCR lines to a prompt, by the contract that a model carries (docs/decisions/0001).

OCR text is untrusted: a picture can hold `<|im_end|>` in large print. Chat-control tokens are broken up with a space,
which leaves the machine-readable zone's `I<CMR` and everything else alone. Templates are filled with `replace`, because
OCR text holds braces; the text goes in last, so that nothing in it is taken for a place to fill.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ocr_frontend.documents.types import fold
from ocr_frontend.llm.contract import Contract
from ocr_frontend.ocr.textline import TextLine

MAX_LINE_CHARACTERS = 200
_CONTROL = re.compile(r"<(?=\|)|(?<=\|)(?=>)|<(?=/?[A-Za-z_]+\d*>)|\[(?=/?[A-Z_]+\])")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A rendered prompt. `lines[i]` is the OCR line that the prompt numbers i; `dropped` did not fit."""

    text: str
    lines: tuple[TextLine, ...]
    dropped: int


def neutralise(text: str) -> str:
    """Break up what a tokenizer could take for a control token."""
    return _CONTROL.sub(lambda match: f"{match.group()} ", text)


def render(contract: Contract, document: str, lines: Sequence[TextLine], max_lines: int) -> Prompt:
    """Prefix, the lines that hold text, suffix. Blank lines get no number. Raises UnknownDocument."""
    given = contract.of(document)
    shown = [line for line in lines if line.text.strip()]
    kept = tuple(shown[:max_lines])
    body = (
        contract.line.replace("{index}", str(index)).replace(
            "{text}", neutralise(fold(line.text))[:MAX_LINE_CHARACTERS]
        )
        for index, line in enumerate(kept)
    )
    return Prompt(given.prefix + "".join(body) + contract.suffix, kept, len(shown) - len(kept))

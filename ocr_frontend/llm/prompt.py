"""From OCR lines to a prompt, by the contract that a model carries (docs/decisions/0001).

OCR text is untrusted: a picture can hold `<|im_end|>` in large print. Chat-control tokens are broken up with a space,
which leaves the machine-readable zone's `I<CMR` and everything else alone. Templates are filled with `replace`, because
OCR text holds braces; the text goes in last, so that nothing in it is taken for a place to fill.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ocr_frontend.documents.registry import DOCUMENTS, Document, Kind
from ocr_frontend.documents.values import fold
from ocr_frontend.errors import UnknownDocument
from ocr_frontend.ocr.columns import in_columns
from ocr_frontend.ocr.textline import TextLine

MAX_LINE_CHARACTERS = 200
_CONTROL = re.compile(r"<(?=\|)|(?<=\|)(?=>)|<(?=/?[A-Za-z_]+\d*>)|\[(?=/?[A-Z_]+\])")


class DocumentPrompt(BaseModel):
    """What a model was trained on for one document."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    prefix: str
    fields: tuple[str, ...] = Field(min_length=1, max_length=64)


class Contract(BaseModel):
    """How a model wants to be asked, and in which of the two formats it answers.

    order: of the lines: `plain` as the OCR gives them, by rows, or `columns` (ocr_frontend/ocr/columns.py).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    answer: Literal["lines", "object"]
    line: str
    suffix: str
    documents: dict[str, DocumentPrompt]
    order: Literal["plain", "columns"] = "plain"

    def of(self, document: Document) -> DocumentPrompt:
        """Raises UnknownDocument when the model was not trained for it."""
        try:
            return self.documents[document.name]
        except KeyError:
            raise UnknownDocument(f"This model was not trained for {document.name}.") from None


@dataclass(frozen=True, slots=True)
class Prompt:
    """A rendered prompt. `lines[i]` is the OCR line that the prompt numbers i; `dropped` did not fit."""

    text: str
    lines: tuple[TextLine, ...]
    dropped: int


def neutralise(text: str) -> str:
    """Break up what a tokenizer could take for a control token."""
    return _CONTROL.sub(lambda match: f"{match.group()} ", text)


def render(contract: Contract, document: Document, lines: Sequence[TextLine], max_lines: int) -> Prompt:
    """Prefix, the lines that hold text, suffix. Blank lines get no number."""
    given = contract.of(document)
    shown = [line for line in lines if line.text.strip()]
    kept = tuple(shown[:max_lines])
    if contract.order == "columns":
        kept = tuple(in_columns(kept))
    body = (
        contract.line.replace("{index}", str(index)).replace(
            "{text}", neutralise(fold(line.text))[:MAX_LINE_CHARACTERS]
        )
        for index, line in enumerate(kept)
    )
    return Prompt(given.prefix + "".join(body) + contract.suffix, kept, len(shown) - len(kept))


_HINTS = {
    Kind.DATE: "a date DD.MM.YYYY",
    Kind.SEX: "M or F",
    Kind.HEIGHT: "a number in metres such as 1.75",
    Kind.DIGITS: "digits only",
    Kind.NIC: "two letters and eight digits",
}


def _instruction(document: Document) -> str:
    keys = "\n".join(
        f"- {spec.name}" + (f": {_HINTS[spec.kind]}" if spec.kind in _HINTS else "") for spec in document.fields
    )
    return (
        "<|im_start|>user\n"
        f"Below is the OCR text of a Cameroonian identity card ({document.title}), one segment a line. "
        "Answer with one JSON object that has exactly these keys, in this order. Copy each value from the text. "
        f"Use null for a value that the text does not show.\n{keys}\n\nOCR text:\n"
    )


# For base models, and for adapters that say nothing about their prompt.
BUILT_IN = Contract(
    answer="object",
    line="{text}\n",
    suffix="<|im_end|>\n<|im_start|>assistant\n",
    documents={
        name: DocumentPrompt(prefix=_instruction(document), fields=document.keys)
        for name, document in DOCUMENTS.items()
    },
)

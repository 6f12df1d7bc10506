"""Which characters OCR may read: a model of many scripts reads a blurred Latin letter as one of another script.

PP-OCRv6 tells 18,708 characters apart, of which Latin script and its punctuation are 700. Without the others its last
layer is a fraction of the work, and `NGORO II` cannot end in the numeral U+2161 or a colon be a full-width one.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ocr_frontend.ocr.unwritten import Unwritten

Script = Literal["latin", "any"]
Columns = npt.NDArray[np.int64]
Decode = Callable[..., list[tuple[str, float]]]
PostOp = Callable[..., tuple[list[str], list["Score"]]]

# Blocks of the Unicode standard: Basic Latin to IPA Extensions (letters of African languages), Latin Extended
# Additional, dashes and quotation marks, currencies; the signs for number and trade mark.
_LATIN = ((0x20, 0x2AF), (0x1E00, 0x1EFF), (0x2010, 0x2044), (0x20A0, 0x20BF), (0x2116, 0x2116), (0x2122, 0x2122))


class Score(float):
    """A line's score, the mean of its characters' probabilities, with that of its least sure letter or digit: PaddleX
    hands on a text and a number, and one letter in doubt does not show in the mean of twenty."""

    def __new__(cls, value: float, least_sure: float) -> "Score":
        score = super().__new__(cls, value)
        score.least_sure = least_sure
        return score

    least_sure: float


def columns(characters: Sequence[str], script: Script) -> Columns | None:
    """Of a model's output columns those that may be read; None: all. characters: of each column, CTC's blank first."""
    if script == "any":
        return None
    kept = [0, *(at for at, text in enumerate(characters) if at and all(map(_latin, text)))]
    return np.array(kept, np.int64)


def decoder(decode: Decode, unwritten: Unwritten, kept: Columns | None) -> PostOp:
    """PaddleX's `CTCLabelDecode`, which looks at these columns alone and writes what else was seen."""

    def post_op(predicted: Sequence[npt.NDArray[np.float32]], **_: Any) -> tuple[list[str], list[Score]]:
        whole = np.asarray(predicted[0])
        scores = whole if kept is None else whole[..., kept]
        best = scores.argmax(axis=-1)
        seen = best if kept is None else kept[best], scores.max(axis=-1), whole[..., unwritten.columns]
        return decoded(decode, unwritten, *seen)

    return post_op


def decoded(
    decode: Decode, unwritten: Unwritten, characters: Any, scores: Any, watched: Any, seen: Sequence[Any] | None = None
) -> tuple[list[str], list[Score]]:
    """Texts and scores, as PaddleX has them, of lines; of each line the likeliest characters and their probabilities,
    both [steps], and those of the columns that `unwritten` watches, [steps, columns]; seen: the lines' pictures."""
    pictures = seen or [None] * len(characters)
    lines = [unwritten.mended(*line) for line in zip(characters, scores, watched, pictures, strict=True)]
    found = decode([numbers for numbers, _ in lines], [sure for _, sure in lines], is_remove_duplicate=True)
    least = [unwritten.least_sure(*line) for line in zip(characters, scores, strict=True)]
    return [text for text, _ in found], [Score(score, one) for (_, score), one in zip(found, least, strict=True)]


def _latin(character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in _LATIN)

"""A value that the model wrote out and misspelt: what the card's line says takes its place.

Line numbers cannot be misspelt, but a value glued to its label has to be written letter by letter. Where the letters
stand on no line and nearly stand on one, the line is right.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from ocr_frontend.llm.answers import Element
from ocr_frontend.ocr.textline import TextLine

_ALIKE = 0.8  # difflib's ratio: two names that share this much are one name misspelt
_MOST_WORDS = 8


def with_spelling_of_lines(
    elements: Mapping[str, Element], texts: Collection[str], lines: Sequence[TextLine]
) -> dict[str, Element]:
    """The answer's elements; a written value of a field in `texts` that stands on no line is made to."""
    return {
        name: _as_read(element, lines) if name in texts and isinstance(element, str) else element
        for name, element in elements.items()
    }


def _as_read(written: str, lines: Sequence[TextLine]) -> str:
    if not written.strip() or any(written in line.text for line in lines):
        return written
    candidates = {span for line in lines for span in _spans(line.text, len(written.split()))}
    likeness = {span: SequenceMatcher(None, written, span, autojunk=False).ratio() for span in candidates}
    best = max(likeness, key=lambda span: (likeness[span], span), default=written)
    return best if likeness.get(best, 0.0) >= _ALIKE else written


def _spans(text: str, words: int) -> Iterator[str]:
    """Runs of about so many words of a line."""
    parts = text.split()
    for count in range(max(1, words - 1), min(words + 1, _MOST_WORDS) + 1):
        for start in range(len(parts) - count + 1):
            yield " ".join(parts[start : start + count])

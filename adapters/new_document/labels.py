"""What a document prints around its values: the labels of fields, and lines that stand on many of its pages."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from adapters.training.dataset import Labelled
from ocr_frontend.documents.letters import letters

_OFTEN = 0.15  # of the examples: a text that stands before a value so often is its label
_EVERYWHERE = 0.3  # of the examples: a line that stands on so many belongs to the document
_MOST_LABELS, _MOST_LINES = 8, 12
_FAITHFUL = 0.7  # of the pages that print a text: before the value on so many of them, it is a label
_NEAR = 3  # lines before a value
_FEWEST = 3  # letters of a label
_LONG = 8  # letters of a line that tells the document alone
_LONGEST = 40  # characters of a label


def printed_labels(samples: Sequence[Labelled], field: int, key: str) -> list[str]:
    """Texts that stand before the field's values, in their own line or as the line before, the commonest first.

    A line before that mostly stands elsewhere is a title, and none. Of a value that stands on the page more than once
    also those a little before it that have the key's own word.
    """
    words = set(key.upper().replace("-", "_").split("_"))
    seen, titles = Counter[str](), Counter[str]()
    for sample in samples:
        at = _where(sample, field)
        if at is None:
            continue
        own, before = _before(sample.lines, at)
        if before:
            titles[before] += 1
        near = {own}
        same = [n for n, line in enumerate(sample.lines) if line == sample.lines[at]]
        around = (_label(sample.lines[n - step]) for n in same for step in range(1, _NEAR + 1) if n >= step)
        near |= {label for label in around if words & set(label.split())}
        seen.update(near - {""})
    stands = Counter(label for sample in samples for label in {_label(line) for line in sample.lines})
    seen |= Counter({text: count for text, count in titles.items() if count >= _FAITHFUL * stands[text]})
    return [label for label, count in seen.most_common(_MOST_LABELS) if count >= max(2, _OFTEN * len(samples))]


def _where(sample: Labelled, field: int) -> int | None:
    """The first line of the field's value, None where there is none."""
    target = sample.targets[field]
    if isinstance(target, str):
        return next((n for n, line in enumerate(sample.lines) if target in line), None)
    return target[0] if isinstance(target, tuple) else target


def common_lines(samples: Sequence[Labelled], labels: Iterable[str]) -> list[str]:
    """Lines that many pages print, whatever is filled in, without the labels; the commonest first."""
    taken = {letters(label) for label in labels}
    seen = Counter(line for sample in samples for line in {_label(line) for line in _free(sample)} if line)
    often = [line for line, count in seen.most_common() if count >= max(2, _EVERYWHERE * len(samples))]
    return [line for line in often if letters(line) not in taken][:_MOST_LINES]


def marks(lines: Sequence[str]) -> list[str]:
    """Of the common lines, those that are long enough to tell the document by."""
    return [line for line in lines if len(letters(line)) >= _LONG][:4]


def _before(lines: Sequence[str], at: int) -> tuple[str, str]:
    """The label in the value's own line, or else the line before as one; empty where there is none."""
    head, colon, rest = lines[at].partition(":")
    own = _label(head) if colon and rest.strip() else ""
    return own, "" if own or not at else _label(lines[at - 1])


def _label(text: str) -> str:
    """The text as a label: capitals, without signs at its ends; empty where it is none."""
    plain = re.sub(r"\s+", " ", text.upper()).strip(" .:;-*#=|")
    short = len(plain) <= _LONGEST and len(letters(plain)) >= _FEWEST
    return plain if short and not any(character.isdigit() for character in plain) else ""


def _free(sample: Labelled) -> list[str]:
    """The lines that are nobody's value."""
    used = {n for target in sample.targets for n in (target if isinstance(target, tuple) else (target,))
            if isinstance(n, int)}  # fmt: skip
    return [line for number, line in enumerate(sample.lines) if number not in used]

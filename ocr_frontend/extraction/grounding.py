"""Where a written value stands on the page: answers as objects become line numbers wherever that says the same."""

import re
from collections.abc import Iterator, Mapping

from rapidfuzz.distance import Levenshtein

from ocr_frontend.documents.page import LabelledPage
from ocr_frontend.documents.spec import FieldSpec
from ocr_frontend.documents.types import fold
from ocr_frontend.llm.answers import MAX_JOINED, Element

_ALIKE = 0.85  # of the letters: two spellings of one value


def ground(elements: Mapping[str, Element], page: LabelledPage) -> dict[str, Element]:
    """The elements, with the numbers of lines in the place of what those lines say, word for word."""
    return {spec.key: _as_lines(spec, elements.get(spec.key), page) for spec in page.spec.fields}


def _as_lines(spec: FieldSpec, element: Element, page: LabelledPage) -> Element:
    if not isinstance(element, str) or not element.strip():
        return element
    if not spec.type.free:
        return _as_line(spec, element, page)
    wanted = key_of(element)
    whole = [index for index in range(len(page.lines)) if key_of(page.text_of(index, spec.key)) == wanted]
    if whole:
        return prefer(whole, spec, page)
    return next(_joins(wanted, spec, page), element)


def _as_line(spec: FieldSpec, element: str, page: LabelledPage) -> Element:
    """A date, number or choice as the line whose one value of its type it is."""
    found = spec.type.find(element)
    if found is None or not found.exact:
        return element
    lines = [n for n in _lines_with_value(found.value, spec, page) if has_one_value(spec, n, page)]
    return prefer(lines, spec, page) if lines else element


def has_one_value(spec: FieldSpec, line: int, page: LabelledPage) -> bool:
    """Whether a line says one value of the field's type: all of a line of free text is one."""
    return spec.type.free or len({each.value for each in spec.type.finds(fold(page.lines[line].text))}) == 1


def _joins(wanted: str, spec: FieldSpec, page: LabelledPage) -> Iterator[tuple[int, ...]]:
    """Lines that say the value one after the other: the next one need not follow in the list, columns are mixed."""
    texts = [key_of(page.text_of(index, spec.key)) for index in range(len(page.lines))]

    def go_on(rest: str, taken: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        if not rest:
            yield taken
        elif len(taken) < min(MAX_JOINED, max(3, spec.max_lines)):
            for index, text in enumerate(texts):
                if text and (not taken or index > taken[-1]) and (rest == text or rest.startswith(text + " ")):
                    yield from go_on(rest[len(text) :].strip(), (*taken, index))

    return (found for found in go_on(wanted, ()) if len(found) > 1)


def lines_with(text: str, spec: FieldSpec, page: LabelledPage) -> list[int]:
    """Lines that hold the text as words of their own, or on to a label."""
    wanted = key_of(text)
    if not wanted:
        return []
    whole = _as_words(wanted)
    return [
        index
        for index, line in enumerate(page.lines)
        if whole.search(key_of(line.text)) or whole.search(key_of(page.text_of(index, spec.key)))
    ]


def lines_that_say(text: str, value: object, spec: FieldSpec, page: LabelledPage) -> list[int]:
    """Lines that say a written value: its text, else, where the type knows other spellings, the same value.

    value: what the type finds in the text. A number, date or choice has to be there whole: the first nine digits of
    another number are no card's number.
    """
    if spec.type.free:
        return lines_with(text, spec, page)
    whole = _as_words(key_of(text))
    said = [index for index, line in enumerate(page.lines) if whole.search(key_of(line.text))]
    return said or _lines_with_value(value, spec, page)


def _as_words(wanted: str) -> re.Pattern[str]:
    """Where it stands as words of their own."""
    return re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)")


def _lines_with_value(value: object, spec: FieldSpec, page: LabelledPage) -> list[int]:
    """Lines in which the type finds the same value."""
    return [
        index
        for index, line in enumerate(page.lines)
        if any(found.value == value for found in spec.type.finds(fold(line.text)))
    ]


def nearly(text: str, spec: FieldSpec, page: LabelledPage) -> int | None:
    """The one line that says nearly the same, None where there is none or more than one."""
    wanted = key_of(text)
    alike = [
        index
        for index in range(len(page.lines))
        if Levenshtein.normalized_similarity(wanted, key_of(page.text_of(index, spec.key))) >= _ALIKE
    ]
    return alike[0] if len(alike) == 1 else None


def prefer(indexes: list[int], spec: FieldSpec, page: LabelledPage) -> int:
    """The first under the field's own label; without one, the first under no other field's; else the first."""
    own = [index for index in indexes if spec.key in page.owners(index)]
    free = [index for index in indexes if not page.owners(index)]
    return (own or free or indexes)[0]


def key_of(text: str) -> str:
    """What is compared: blanks folded, letters' case left out."""
    return fold(text).casefold()

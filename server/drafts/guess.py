"""What an answer may say next, as text: separators, the lines that a value copies, their numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from server.drafts.memory import NOTHING, Memory
from server.drafts.page import Page
from server.drafts.place import Place, locate

_SHORTEST_COPY = 8
"""Characters of an answer's end that must stand in the prompt before it is taken to go on as it does there."""

_ENDS = [",", "]", "}"]


@dataclass
class Guesser:
    """Guesses for one answer."""

    page: Page
    memory: Memory
    _before: dict[str, int] = field(default_factory=dict)  # slots that have a value, and its line
    _known: dict[tuple[str, int], list[int]] = field(default_factory=dict)

    def look(self, answer: str) -> None:
        """Take note of the values that `answer` has so far."""
        self._before = dict(lines_taken(self.page, _closed(answer)))

    def continuations(self, answer: str) -> list[str]:
        """Guesses of how `answer` goes on, likeliest first; a grammar picks the first one that it allows."""
        place = locate(answer)
        if place is None:
            return self._copied(answer)
        if place.kind == "key":
            return ['"'] if place.ready or not place.spaced else [' "', '"']
        if place.kind == "colon":
            return [":"]
        if place.kind == "end":
            return _ENDS
        if place.kind == "list":
            return _joined(place.written)
        return self._value(place)

    def _value(self, place: Place) -> list[str]:
        lines = self._lines(place.slot)
        if place.kind == "text":
            return self._rest(place.written, [self.page.lines[line] for line in lines if line != NOTHING])
        texts = [self._text(line) for line in lines]
        if place.kind == "bare":
            rests = [text[len(place.written) :] for text in texts if text.startswith(place.written)]
            return [*filter(None, rests), *_ENDS]
        forms = texts if self.page.numbered else _forms(texts)
        spaced = place.spaced and not place.ready
        return [*([f" {text}" for text in forms] if spaced else []), *forms]

    def _lines(self, slot: str) -> list[int]:
        """Where the value of `slot` may stand, as the memory has it, from the line of the value before it on."""
        earlier = [line for name, line in self._before.items() if name != slot and line != NOTHING]
        key = slot, earlier[-1] if earlier else NOTHING
        if key not in self._known:
            self._known[key] = self.memory.lines(self.page, *key)
        line = self._known[key][0]
        self._before.setdefault(slot, line)  # the next value's guess follows this one's
        return self._known[key]

    def _text(self, line: int) -> str:
        if line == NOTHING:
            return "null"
        return str(line) if self.page.numbered else self.page.lines[line]

    def _rest(self, written: str, likely: list[str]) -> list[str]:
        """The rest of the line that a string copies, and its end."""
        if not written:
            return [*(f'{text}"' for text in likely), '"']
        for text in (*likely, *reversed(self.page.lines)):
            if text.startswith(written) and text != written:
                return [text[len(written) :] + '"', '"']
        return ['"']

    def _copied(self, answer: str) -> list[str]:
        """What follows the answer's end in the prompt, where that end stands there."""
        end = answer[-_SHORTEST_COPY:]
        if len(end) < _SHORTEST_COPY or "\n" in end:
            return []
        for line in reversed(self.page.lines):
            found = line.find(end)
            if found >= 0 and found + len(end) < len(line):
                return [line[found + len(end) :]]
        return []


def _joined(written: str) -> list[str]:
    """Lines that hold one value together stand below each other."""
    numbers = written.split(",")
    if numbers[-1]:
        return [",", "]"] if len(numbers) == 1 else ["]", ","]
    return [f"{int(numbers[-2]) + 1}]"] if len(numbers) > 1 and numbers[-2].isdecimal() else []


def _forms(texts: list[str]) -> list[str]:
    """Values as an object has them: strings, or bare where a grammar wants a number."""
    quoted = [text if text == "null" else json.dumps(text, ensure_ascii=False) for text in texts]
    return [*quoted, *(text for text in texts if text != "null")]


def lines_taken(page: Page, answer: str) -> list[tuple[str, int]]:
    """Slots of a whole answer and the lines that their values stand on; values that stand nowhere are left out."""
    try:
        read = json.loads(answer)
    except (ValueError, RecursionError):
        return []
    items = read.items() if isinstance(read, dict) else enumerate(read) if isinstance(read, list) else ()
    found = ((str(name), _line(page, value)) for name, value in items)
    return [(name, line) for name, line in found if line is not None]


def _line(page: Page, value: object) -> int | None:
    if value is None:
        return NOTHING
    if isinstance(value, list):
        value = value[0] if value else False
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if page.numbered:
        return value if isinstance(value, int) and 0 <= value < len(page.lines) else None
    text = str(value)
    return next((n for n in range(len(page.lines) - 1, -1, -1) if page.lines[n] == text), None)


def _closed(answer: str) -> str:
    """An unfinished answer up to the last comma behind which it can be closed; that may be nothing."""
    end = "]" if answer.lstrip()[:1] == "[" else "}"
    at = len(answer)
    for _ in range(8):  # commas in a string that is not at its end are no separators
        at = answer.rfind(",", 0, at)
        if at < 0:
            break
        try:
            json.loads(answer[:at] + end)
        except (ValueError, RecursionError):
            continue
        return answer[:at] + end
    return ""

"""A prompt as a proposer sees it: its lines, and whether they are numbered."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

_NUMBERED = re.compile(r"^(.*\S) (\d{1,3})$")
_DROPPED = str.maketrans("", "", ".'’")
_LONGEST = 200
_MOST_LINES = 300


def words_of(text: str) -> frozenset[str]:
    """Its words without accents, case and points: `S.P./S.M.` has `sp` and `sm`."""
    plain = unicodedata.normalize("NFKD", text.translate(_DROPPED)).casefold()
    return frozenset(re.findall(r"[a-z0-9]+", "".join(c for c in plain if not unicodedata.combining(c))))


def shape_of(text: str) -> str:
    """Digits as 9 and letters as A, runs as one: dates, heights and names each look alike."""
    return re.sub(r"A+", "A", re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", text)))[:24]


@dataclass(frozen=True)
class Page:
    """lines: what a value may copy; numbered: an answer names them by their place in `lines`; head: how it begins."""

    lines: tuple[str, ...]
    numbered: bool
    head: str

    @cached_property
    def words(self) -> tuple[frozenset[str], ...]:
        return tuple(map(words_of, self.lines))

    @cached_property
    def shapes(self) -> tuple[str, ...]:
        return tuple(map(shape_of, self.lines))


def read_page(prompt: str) -> Page:
    """The numbered lines where there are some (0, 1, 2, … at their ends, the last such run), else all lines."""
    lines = prompt.split("\n")
    head = re.sub(r"\d+", "0", "\n".join(lines[:2]))[:120]
    run: list[str] = []
    for line in lines:
        found = _NUMBERED.match(line)
        if found and int(found[2]) == len(run):
            run.append(found[1])
        elif found and found[2] == "0":
            run = [found[1]]
    if len(run) > 1:
        return Page(tuple(run), True, head)
    shown = [line.strip() for line in lines if 0 < len(line.strip()) <= _LONGEST]
    return Page(tuple(shown[-_MOST_LINES:]), False, head)

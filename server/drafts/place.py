"""Where an unfinished answer stands: in which field, and in which part of it. Flat JSON objects and arrays."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_PIECES = re.compile(r'"(?:[^"\\]|\\.)*"|"(?:[^"\\]|\\.)*\\?$|[\[\]{},:]|\s+|[^\s"\[\]{},:]+')

_WHOLE = re.compile(r'"(?:[^"\\]|\\.)*"')

Kind = Literal["key", "colon", "value", "text", "bare", "list", "end"]


@dataclass(frozen=True)
class Place:
    """slot: a key, or the number of an array's element.

    kind: before a key, before its colon, before a value, in a string, in a bare value (number, null), in a list of
    numbers, behind a value. written: what stands of that value (a string's without its quote). spaced: whether this
    answer puts a space behind colons and commas; ready: whether one stands here already.
    """

    slot: str
    kind: Kind
    written: str = ""
    spaced: bool = True
    ready: bool = False


def is_open(piece: str) -> bool:
    """Whether this piece is a string without its end."""
    return piece[0] == '"' and _WHOLE.fullmatch(piece) is None


def locate(answer: str) -> Place | None:
    """None where the answer is neither of the two forms, or ends here."""
    pieces = _PIECES.findall(answer.lstrip())
    if not pieces or pieces[0] not in ("{", "["):
        return None
    return _in_object(pieces[1:]) if pieces[0] == "{" else _in_array(pieces[1:])


def _in_object(pieces: list[str]) -> Place | None:
    spaced, key, kind, written = True, "", "key", ""
    for number, piece in enumerate(pieces):
        space = piece.isspace()
        if number and pieces[number - 1] == ":":
            spaced = space
        if space:
            continue
        if kind == "key":
            if piece[0] != '"' or is_open(piece):
                return None  # in the middle of a key: a grammar knows the rest
            key, kind = piece[1:-1], "colon"
        elif kind == "colon":
            if piece != ":":
                return None
            kind = "value"
        elif kind in ("bare", "end"):
            if piece != ",":
                return None
            kind, written = "key", ""
        elif piece[0] == '"':
            kind, written = ("text", piece[1:]) if is_open(piece) else ("end", "")
        elif piece in "[]{},:":
            return None
        else:
            kind, written = "bare", piece
    ready = bool(pieces) and pieces[-1].isspace()
    first = kind == "key" and not key
    return Place(key, kind, written, spaced, ready or first)  # type: ignore[arg-type]


def _in_array(pieces: list[str]) -> Place | None:
    element, kind, written, spaced = 0, "value", "", False
    for number, piece in enumerate(pieces):
        if piece.isspace():
            spaced = spaced or pieces[number - 1] == ","
            continue
        if kind == "list":
            if piece not in {"]", ","} and not piece.isdecimal():
                return None
            written, kind = (written, "end") if piece == "]" else (written + piece, "list")
        elif kind == "value":
            if piece == "[":
                kind = "list"
            elif piece[0] == '"':
                kind, written = ("text", piece[1:]) if is_open(piece) else ("end", "")
            elif piece in "[]{},:":
                return None
            else:
                kind, written = "bare", piece
        elif piece == ",":
            element, kind, written = element + 1, "value", ""
        else:
            return None
    return Place(str(element), kind, written, spaced, bool(pieces) and pieces[-1].isspace())  # type: ignore[arg-type]

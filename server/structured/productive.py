"""Whether a grammar can come to an end, whatever was written so far: else the engine fails in the middle of an answer.

Reads the grammar as xgrammar prints it (`str(xgrammar.Grammar)`): rules of alternatives in parentheses, texts, classes
of characters, repetitions. What is printed in a way that is not known here is taken to end.
"""

import re

from server.structured.errors import Unusable

_RULE = re.compile(r"^([\w.\-]+) ::= (.*)$")
_TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<kind>\[(?:[^\]\\]|\\.)*\])|(?P<call>\w+\((?:"(?:[^"\\]|\\.)*"|[^")])*\))'
    r"|(?P<name>[A-Za-z_][\w.\-]*)|(?P<times>\{(\d+), (-?\d+)\})|(?P<sign>[()|*+?]))"
)
_LAST = 0x10FFFF

# One way through a rule: names of rules with their least repetitions; what ends by itself is left out.
_Sequence = list[tuple[str, int]]
_NEVER = "\0never"


def check_ends(grammar: str) -> None:
    """Raise Unusable for a grammar that nothing satisfies, and for one with a way in it that never ends."""
    rules = {found[1]: _read(found[2]) for line in grammar.splitlines() if (found := _RULE.match(line))}
    ending: set[str] = set()
    while True:
        more = {name for name, ways in rules.items() if name not in ending and any(_ends(w, ending) for w in ways)}
        if not more:
            break
        ending |= more
    if "root" in rules and "root" not in ending:
        raise Unusable("nothing satisfies it.")
    reached, left = set[str](), ["root"]
    while left:
        name = left.pop()
        if name in reached or name not in rules:
            continue
        reached.add(name)
        left += [part for way in rules[name] for part, _ in way]
    if reached - ending or any(part == _NEVER for name in reached for way in rules[name] for part, _ in way):
        raise Unusable("a part of it can never end.")


def _ends(way: _Sequence, ending: set[str]) -> bool:
    return all(not least or name in ending for name, least in way)


def _read(body: str) -> list[_Sequence]:
    """The alternatives of a rule. Nested parentheses are flattened: each level is a list of ways."""
    return _alternatives(_tokens(body), 0)[0]


def _tokens(body: str) -> "list[re.Match[str]]":
    found, at = [], 0
    while at < len(body):
        token = _TOKEN.match(body, at)
        if token is None:
            break  # a lookahead behind the rule, or something new
        found.append(token)
        at = token.end()
    return found


def _alternatives(tokens: "list[re.Match[str]]", at: int) -> tuple[list[_Sequence], int]:
    """Of what stands in parentheses, or of a whole body."""
    ways: list[_Sequence] = [[]]
    while at < len(tokens):
        token = tokens[at]
        sign = token["sign"]
        if sign == ")":
            return ways, at + 1
        at += 1
        if sign == "|":
            ways.append([])
        elif sign == "(":
            inner, at = _alternatives(tokens, at)
            ways = [*ways[:-1], *([*ways[-1], *way] for way in inner)]
        elif sign in {"*", "?"} and ways[-1]:
            ways[-1][-1] = (ways[-1][-1][0], 0)
        elif token["times"] and ways[-1]:
            ways[-1][-1] = (ways[-1][-1][0], int(token[6]))
        elif token["name"]:
            ways[-1].append((token["name"], 1))
        elif token["kind"] and _is_empty(token["kind"]):
            ways[-1].append((_NEVER, 1))
    return ways, at


def _is_empty(kind: str) -> bool:
    """Whether a class of characters, as printed, has none: only a negated one can."""
    if not kind.startswith("[^"):
        return False
    covered = sorted(_ranges(kind[2:-1]))
    following = 0
    for first, last in covered:
        if first > following:
            return False
        following = max(following, last + 1)
    return following > _LAST


def _ranges(inner: str) -> list[tuple[int, int]]:
    letters = re.findall(r"\\x[0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\.|.", inner, re.DOTALL)
    points, at = list[tuple[int, int]](), 0
    while at < len(letters):
        if at + 2 < len(letters) and letters[at + 1] == "-":
            points.append((_point(letters[at]), _point(letters[at + 2])))
            at += 3
        else:
            points.append((_point(letters[at]),) * 2)
            at += 1
    return points


_NAMED = {"n": 10, "r": 13, "t": 9, "f": 12, "v": 11, "b": 8, "a": 7, "0": 0, "e": 27}


def _point(letter: str) -> int:
    if len(letter) == 1:
        return ord(letter)
    if letter[1] in "xuU" and len(letter) > 2:
        return int(letter[2:], 16)
    return _NAMED.get(letter[1], ord(letter[1]))

"""The commands of ours that a Markdown page shows: blocks to be typed as they are, and mentions within a sentence."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ("adapters", "benchmarks", "deploy", "ocr_frontend", "server")
CONSOLE = {"cni-server": "server", "cni-front": "ocr_frontend", "cni-adapters": "adapters"}
_SHOWN = re.compile(rf"-m (?:{'|'.join(OURS)})\b|\b(?:{'|'.join(CONSOLE)}) |\bmake [a-z-]+ .*ARGS=")
_FENCED = re.compile(r"(?ms)^ *```\w*\n(.*?)^ *```")
_INLINE = re.compile(r"(?s)(?<!`)`([^`]+)`(?!`)")
_PYTHON = re.compile(r"(?:.*/)?python3?")
_LEFT_OUT = {"…", "..."}
PLACE = "PLACE"


@dataclass(frozen=True)
class Typed:
    """`python -m module words`; `whole`: nothing was left out, as in a block that is copied."""

    module: str
    words: tuple[str, ...]
    whole: bool


def shown(page: str) -> Iterator[Typed]:
    """Every command of ours in a page's text. Raises ValueError where a shell could not read one either."""
    fenced: list[str] = _FENCED.findall(page)
    rest = _FENCED.sub("", page)
    # Four blanks are a block; within a list they may be a paragraph, where only what stands between backticks counts.
    indented = re.findall(r"(?m)^(?: {4}|\t)([^`\n]*)$", rest.replace("\\\n", ""))
    for line in [*"\n".join(fenced).replace("\\\n", "").splitlines(), *indented]:
        yield from _of_line(line, whole=True)
    for mention in _INLINE.findall(rest):
        yield from _of_line(" ".join(mention.split()), whole=False)


def options(page: str) -> set[str]:
    """What a page mentions as an option by itself: `--front URL`."""
    return {found[1] for found in (re.match(r"(--[a-z][\w-]*)", one) for one in _INLINE.findall(page)) if found}


def _of_line(line: str, whole: bool) -> Iterator[Typed]:
    if not _SHOWN.search(line):
        return
    reader = shlex.shlex(re.sub(r"<(\w+)>", PLACE, line), posix=True, punctuation_chars=True)
    reader.whitespace_split = True
    parts: list[list[str]] = [[]]
    for token in reader:
        if set(token) <= set("();<>|&"):
            parts.append([])
        else:
            parts[-1].append(token)
    for part in parts:
        if found := _of_words(part):
            module, words = found
            # What is left out after an option is its value, elsewhere it may be anything.
            told = [
                PLACE if word in _LEFT_OUT and last.startswith("-") else word for last, word in pairwise(["", *words])
            ]
            kept = tuple(word for word in told if word not in _LEFT_OUT and word != "--help")
            yield Typed(module, kept, whole and len(kept) == len(words))


def _of_words(words: list[str]) -> tuple[str, list[str]] | None:
    for place, word in enumerate(words[:-2]):
        if _PYTHON.fullmatch(word) and words[place + 1] == "-m" and words[place + 2].split(".")[0] in OURS:
            return words[place + 2], words[place + 3 :]
    first = next((place for place, word in enumerate(words) if "=" not in word), 0)
    if words and words[first] in CONSOLE:
        return CONSOLE[words[first]], words[first + 1 :]
    if words and words[0] == "make":
        return _through_make(words[1:])
    return None


def _through_make(words: list[str]) -> tuple[str, list[str]] | None:
    """What `make TARGET ARGS="…"` runs."""
    given = next((word.removeprefix("ARGS=") for word in words if word.startswith("ARGS=")), None)
    target = next((word for word in words if "=" not in word), "")
    if given is None or not (called := recipes().get(target)):
        return None
    return called[0], [*called[1:], *shlex.split(given)]


@cache
def recipes() -> dict[str, list[str]]:
    """By target, the module and the words that stand before $(ARGS)."""
    found, target = {}, ""
    for line in (ROOT / "Makefile").read_text("utf-8").splitlines():
        if head := re.match(r"([a-z-]+):", line):
            target = head[1]
        elif (called := re.search(r"-m (\S+)(.*) \$\(ARGS\)", line)) and called[1].split(".")[0] in OURS:
            found[target] = [called[1], *called[2].split()]
    return found

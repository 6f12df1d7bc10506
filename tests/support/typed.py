"""Hands typed words to a program's own argparse parser and stops there; what comes after the parser is not run."""

import argparse
import re
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NoReturn

import pytest

# REVISION, $KEY, OWNER/NAME: the reader puts something there, which may be a number or one of some words.
_PLACE = re.compile(r"[A-ZÀ-Ý][A-ZÀ-Ý0-9_]*|.*\$.*")


class Refused(Exception):
    """The program would not take these words; the text is its own."""


class _Taken(Exception):
    """It would: the parser is at its end."""


@cache
def parse(module: str, words: tuple[str, ...], whole: bool) -> None:
    """Let `python -m module words` be parsed. `whole`: nothing that is required may be missing. Raises Refused."""
    stopped = _Stopped(whole)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", [module, *words])
        patch.setattr("adapters.provenance._git", lambda *_: "")
        for name in ("parse_known_args", "error", "_get_value", "_check_value"):
            patch.setattr(argparse.ArgumentParser, name, getattr(stopped, name)())
        try:
            import_module(_main(module)).main()
        except _Taken:
            return
        except SystemExit as ended:
            raise Refused(f"{module} ended with {ended.code}") from ended
    raise Refused(f"{module} has no parser of argparse")


@cache
def options(module: str) -> frozenset[str]:
    """Every option that `python -m module` knows, those of its subcommands too."""
    seen: list[argparse.ArgumentParser] = []

    def look(parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        seen.append(parser)
        raise _Taken

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", [module])
        patch.setattr("adapters.provenance._git", lambda *_: "")
        patch.setattr(argparse.ArgumentParser, "parse_known_args", look)
        with pytest.raises(_Taken):
            import_module(_main(module)).main()
    return frozenset(option for parser in _all(seen[0]) for option in parser._option_string_actions)


def _main(module: str) -> str:
    inner = f"{module}.__main__"
    return inner if find_spec(module).submodule_search_locations and find_spec(inner) else module  # type: ignore[union-attr]


def _all(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    found = [parser]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found += [each for inner in set(action.choices.values()) for each in _all(inner)]
    return found


class _Stopped:
    """What stands in place of argparse's own methods; each method here makes one."""

    def __init__(self, whole: bool) -> None:
        self._whole, self._inside = whole, False

    def parse_known_args(self) -> Any:
        own = argparse.ArgumentParser.parse_known_args

        def parse(parser: argparse.ArgumentParser, args: Sequence[str] | None = None, namespace: Any = None) -> Any:
            if self._inside:  # of a subcommand
                return own(parser, args, namespace)
            self._inside = True
            for each in _all(parser):
                self._loosen(each)
            _, unknown = own(parser, sys.argv[1:] if args is None else args, namespace)
            if unknown:
                raise Refused(f"unrecognized arguments: {' '.join(unknown)}")
            raise _Taken

        return parse

    def _loosen(self, parser: argparse.ArgumentParser) -> None:
        parser.allow_abbrev = False
        if not self._whole:
            for required in (*parser._actions, *parser._mutually_exclusive_groups):
                required.required = False

    @staticmethod
    def error() -> Any:
        def refuse(parser: argparse.ArgumentParser, message: str) -> NoReturn:
            raise Refused(f"{parser.prog}: {message}")

        return refuse

    @staticmethod
    def _get_value() -> Any:
        own = argparse.ArgumentParser._get_value
        return lambda parser, action, text: text if _PLACE.fullmatch(text) else own(parser, action, text)

    @staticmethod
    def _check_value() -> Any:
        own = argparse.ArgumentParser._check_value
        return lambda parser, action, value: (
            None if isinstance(value, str) and _PLACE.fullmatch(value) and action.nargs != argparse.PARSER
            else own(parser, action, value)
        )  # fmt: skip

"""What README and docs tell people to type exists: modules, subcommands, make targets, examples, files."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from adapters import bases, commands
from benchmarks.figures import ROOT, pages

PAGES = [*pages(ROOT), ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *(ROOT / "deploy").rglob("*.md")]
MODULE = re.compile(r"python3? -m ((?:adapters|benchmarks|deploy|ocr_frontend|server|tests)(?:\.\w+)*)(?: ([a-z-]+))?")
TARGETS = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
# A path that must be there as it is written: neither a pattern nor a placeholder.
FILE = re.compile(r"(?<![\w/.$-])((?:adapters/recipes|deploy|docs|examples|tests|benchmarks)/[\w./-]+\.\w+)(?![\w*{<])")
MADE = re.compile(r"docs/results/|deploy/compose/secrets")  # by a command, later


def subcommands() -> set[str]:
    import argparse

    subparsers = argparse.ArgumentParser().add_subparsers()
    for command in (bases, *commands.ALL):
        command.add_parser(subparsers)
    return set(subparsers.choices)


SUBCOMMANDS = subcommands()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_tells_to_type_exists(page: Path) -> None:
    text = page.read_text("utf-8")
    for module, word in MODULE.findall(text):
        assert find_spec(module) is not None, module
        assert module != "adapters" or not word or word in SUBCOMMANDS, f"python -m {module} {word}"
    typed = set(re.findall(r"(?:`|^ *)make ([a-z][a-z-]*)", text, re.MULTILINE))
    assert typed <= TARGETS, typed - TARGETS
    missing = [path for path in FILE.findall(text) if not (ROOT / path).exists() and not MADE.match(path)]
    assert not missing, missing

"""What README and docs tell people to type exists: modules, subcommands, options, make targets, examples, files."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from adapters import bases, commands
from benchmarks.publish.figures import ROOT, pages
from deploy.cluster import plan as cluster
from deploy.monitor import plan as monitor
from deploy.up import plan as up
from deploy.up.usage import INSTALLATION
from ocr_frontend import settings as front
from server import settings as server
from tests.support import documented, typed

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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_program_takes_every_command_with_its_options(page: Path) -> None:
    """By its own parser, before anything is run."""
    assert not refused(page.read_text("utf-8"))


def refused(page: str) -> list[str]:
    wrong = []
    for command in documented.shown(page):
        try:
            typed.parse(command.module, command.words, command.whole)
        except typed.Refused as error:
            wrong.append(f"{command.module} {' '.join(command.words)}: {error}")
    return wrong


# What `make up`, `make cluster` and `make monitor` are given, before them or behind.
MADE_WITH = re.compile(r"((?:[A-Z]\w+=\S* )*)make (up|cluster|monitor)\b((?: [A-Z]\w*=\S*)*)")
READ = {"up": up.VARIABLES, "cluster": cluster.VARIABLES, "monitor": monitor.VARIABLES}
SERVICES = {f"SERVER_{name.upper()}" for name in server.Settings.model_fields}
SERVICES |= {front.PREFIX + name.upper() for name in front.Settings.model_fields}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_make_reads_every_variable_that_it_is_given(page: Path) -> None:
    for before, target, behind in MADE_WITH.findall(page.read_text("utf-8")):
        given = set(re.findall(r"([A-Z]\w*)=", before + behind))
        assert given <= {*READ[target], *INSTALLATION, *SERVICES}, f"make {target}: {given}"


def test_an_option_that_stands_alone_is_one_of_ours() -> None:
    texts = [page.read_text("utf-8") for page in PAGES]
    modules = {command.module for text in texts for command in documented.shown(text)}
    modules |= {called[0] for called in documented.recipes().values()}
    known = frozenset().union(*map(typed.options, modules))
    unknown = {option for text in texts for option in documented.options(text)} - known
    assert not unknown, unknown


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ("`python -m adapters train recipe.yaml --stop-aftr 2`", "--stop-aftr"),
        ("`python -m adapters train recipe.yaml --stop 2`", "--stop"),  # argparse itself would take a beginning
        ("```\npython -m adapters train \\\n  --runs runs/trial\n```", "required: recipe"),
        ("    .venv/bin/python -m adapters registry swich cni 1   # back\n", "invalid choice: 'swich'"),
        ("`A=1 cni-server --no-such 1 explain`", "--no-such"),
        ("`cat cards.json | python -m ocr_frontend lines --oot lines.jsonl`", "--oot"),
        ('`make eval ARGS="--modle base"`', "--modle"),
        ("`python -m benchmarks.lora.drafts --forms int9`", "invalid choice: 'int9'"),
        ("`python -m benchmarks.lora.many --rounds some`", "invalid int value: 'some'"),
        ("`python3 -m deploy.up --quiet`", "--quiet"),
    ],
)
def test_what_a_program_would_refuse_is_found(page: str, says: str) -> None:
    (wrong,) = refused(page)
    assert says in wrong


@pytest.mark.parametrize(
    "page",
    [
        "`python -m adapters evaluate-examples`, a mention",
        "`python -m adapters quantize --method gptq --adapter …`",
        "`python -m adapters registry switch cni <revision>`",
        "    python -m adapters evaluate-examples a.yaml --revision OLD && python -m adapters registry rollback bill\n",
        "    python -m benchmarks.lora.soak --minutes MINUTES > soak.json\n",
        "    kubectl -n cni port-forward deployment/cni-server 8000\n",
        "`SERVER_MODEL=runs/int8 python -m server`",
        "`python -m deploy.monitor --help`",
    ],
)
def test_mentions_places_and_other_programs_are_left_alone(page: str) -> None:
    assert refused(page) == []

"""The tables of docs/reference/settings.md: every variable of every program, out of what reads it.

    python -m benchmarks.publish.settings            says which pages are behind; 1 if any is
    python -m benchmarks.publish.settings --write    brings them up to date

A table stands between `<!--settings=PROGRAM-->` and `<!--/settings-->`. English is what the programs' own --help says;
settings.yaml beside this file says it in French, and the defaults that depend on the machine, in words.
"""

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic_settings import BaseSettings

from adapters.markdown import markdown_table
from adapters.settings import Settings as AdaptersSettings
from benchmarks.publish.pages import behind
from deploy.cluster.plan import VARIABLES as CLUSTER
from deploy.monitor.plan import VARIABLES as MONITOR
from deploy.up.plan import VARIABLES as UP
from deploy.up.usage import INSTALLATION
from ocr_frontend.settings import Settings as FrontSettings
from server.cpu_lora.settings import CpuLoraSettings
from server.settings import Settings as ServerSettings

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("docs/reference/settings.md", "docs/reference/settings.fr.md")
WORDS = Path(__file__).with_name("settings.yaml")
MARK = re.compile(r"<!--settings=(\w+)-->.*?<!--/settings-->", re.DOTALL)
# The launcher tells the server when it began; nobody sets that.
_INNER = {"SERVER_STARTED"}
_SWITCH = re.compile(r"(?m)^\w+: `(CNI_\w+)` \(default (on|off)\); ([^\n]+(?:\n(?!\w+: `)[^\n]+)*)")
_HEADS = {False: ("variable", "default", "what it does"), True: ("variable", "par défaut", "son rôle")}


@dataclass(frozen=True)
class Setting:
    """`default`: as it is typed, empty where nothing is; `fixed`: the same on every machine."""

    name: str
    default: str
    means: str
    fixed: bool = True


def _of_class(settings: type[BaseSettings]) -> Iterator[Setting]:
    prefix = settings.model_config.get("env_prefix", "")
    for field, info in settings.model_fields.items():
        name = str(info.validation_alias or f"{prefix}{field.upper()}")
        if name not in _INNER:
            fixed = info.default_factory is None and not isinstance(info.default, Path)
            yield Setting(name, _typed(info.default) if fixed else "", info.description or "", fixed)


def _typed(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value in (None, "", ()) else f"{value:g}" if isinstance(value, float) else str(value)


def _of_switches() -> Iterator[Setting]:
    """Of the plugin's class, whose docstring says what each is for."""
    for name, default, means in _SWITCH.findall(inspect.getdoc(CpuLoraSettings) or ""):
        yield Setting(name, "1" if default == "on" else "0", " ".join(means.split()).rstrip("."))


def _of_variables(told: dict[str, str]) -> Iterator[Setting]:
    """Of what `make` hands on; its own words name the default."""
    return (Setting(name, "", means) for name, means in told.items())


PROGRAMS: dict[str, Callable[[], Iterator[Setting]]] = {
    "up": lambda: _of_variables(UP),
    "cluster": lambda: _of_variables(CLUSTER),
    "monitor": lambda: _of_variables(MONITOR),
    "installation": lambda: _of_variables(INSTALLATION),
    "server": lambda: _of_class(ServerSettings),
    "front": lambda: _of_class(FrontSettings),
    "adapters": lambda: _of_class(AdaptersSettings),
    "kernels": _of_switches,
}


def read_words() -> dict[str, Any]:
    """Of settings.yaml: `french` by program and variable; `defaults` by program and variable in both languages."""
    words: dict[str, Any] = yaml.safe_load(WORDS.read_text("utf-8"))
    return words


def table(program: str, french: bool, words: dict[str, Any]) -> str:
    """Of one program, in Markdown. Raises KeyError for a variable that settings.yaml lacks."""
    settings = list(PROGRAMS[program]())
    told = words["defaults"].get(program, {})
    with_default = any(one.default or not one.fixed for one in settings)
    rows = []
    for one in settings:
        means = words["french"][program][one.name] if french else one.means
        default = f"`{one.default}`" if one.default else ""
        if not one.fixed or one.name in told:
            default = told[one.name]["fr" if french else "en"]
        rows.append([f"`{one.name}`", *([default] if with_default else []), means.replace("|", "\\|")])
    heads = _HEADS[french] if with_default else (_HEADS[french][0], _HEADS[french][2])
    return markdown_table(heads, rows)


def filled(text: str, french: bool, words: dict[str, Any]) -> str:
    """A page with its tables as the programs are now."""
    return MARK.sub(lambda mark: f"<!--settings={mark[1]}-->\n{table(mark[1], french, words)}\n<!--/settings-->", text)


def main() -> int:
    """0 when both pages say what the programs read."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.publish.settings",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", action="store_true", help="bring the pages up to date")
    args = parser.parse_args()
    words = read_words()
    try:
        old = behind(
            ROOT, (ROOT / name for name in PAGES), lambda text, french: filled(text, french, words), args.write
        )
    except KeyError as lacking:
        print(f"settings: {WORDS.name} says nothing of {lacking}", file=sys.stderr)
        return 1
    print(f"{'brought up to date' if args.write else 'behind what programs read'}: {', '.join(old) or 'none'}")
    return int(bool(old) and not args.write)


if __name__ == "__main__":
    sys.exit(main())

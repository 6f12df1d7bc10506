"""`--registry` of every command that works on one, and revisions as a user calls them."""

import argparse
import sys
from pathlib import Path

from adapters.registry.home import make_ready
from adapters.settings import Settings


def add_option(parser: argparse.ArgumentParser, what: str = "registry folder") -> None:
    """Declare it; None stands for the default, which `chosen` makes ready."""
    shown = str(Settings().registry).replace("%", "%%")
    parser.add_argument("--registry", type=Path, help=f"{what} (default: SERVER_ADAPTERS_DIR, else your own: {shown})")


def chosen(given: Path | None) -> Path:
    """The folder to work on: the one that was named, as it is, else the user's own, made ready, which stderr tells.

    Raises Unusable, Busy.
    """
    settings = Settings()
    if named := given or settings.served:
        return named
    home = make_ready(settings.own_registry)
    for line in home.told:
        print(line, file=sys.stderr)
    return home.folder


def folder_of(revision: Path) -> Path:
    """Of a revision as it was named: a folder, or NAME@REVISION in the registry. Raises Unusable, Busy."""
    if revision.is_dir() or "@" not in revision.name or len(revision.parts) > 1:
        return revision
    return chosen(None).joinpath(*revision.name.split("@", 1))


def kept_in(exact: str, given: Path | None = None) -> Path:
    """Where scores of `NAME@REVISION` go: beside a shipped revision in the source tree, else into the registry."""
    place = exact.replace("@", "/")
    shipped = Path("adapters") / place
    return shipped if given is None and shipped.is_dir() else (given or Settings().registry) / place

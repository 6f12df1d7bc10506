"""The numbers in README and docs, out of the result files that hold them.

    python -m benchmarks.publish.figures            says which pages are behind their results; 1 if any is
    python -m benchmarks.publish.figures --write    brings them up to date

A number in a page stands between two marks that no reader sees: `<!--=fields_clean-->99.5 %<!--/-->`. docs/figures.yaml
says what `fields_clean` is: a result file, a JMESPath in it, digits and unit. Pages named *.fr.md get it as French
writes it. Paths of the shipped adapter's folder come to name the revision that is shipped now.
"""

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jmespath
import yaml

from benchmarks.publish import french as in_french
from benchmarks.publish import tables
from benchmarks.publish.pages import behind
from benchmarks.publish.tables import Table, read_tables

ROOT = Path(__file__).resolve().parents[2]
MARK = re.compile(r"<!--=([\w.-]+)-->(.*?)<!--/-->", re.DOTALL)
_PLACE = re.compile(r"\{shipped(?: ([\w-]+))?\}")
_SHIPPED = re.compile(r"adapters/cni/[0-9a-f]{12}\b")
# What was true on a day stays as it was.
_HISTORY = ("docs/lab-notes", "docs/decisions/", "docs/explanation/lab-notes", "docs/explanation/decisions/")


class FigureError(Exception):
    """A figure cannot be had; the text names it, its file and the way out."""


@dataclass(frozen=True)
class Figure:
    """`value`: as the file has it, times `times`, over what `over` finds."""

    value: float
    digits: int
    unit: str

    def text(self, french: bool) -> str:
        """As a page shows it."""
        number = f"{self.value * (100 if self.unit == '%' else 1):,.{self.digits}f}"
        if french:
            return in_french.quantity(number, self.unit) if self.unit else in_french.number(number)
        return f"{number} {self.unit}" if self.unit else number


@dataclass(frozen=True)
class Told:
    """Everything that docs/figures.yaml names, found."""

    figures: dict[str, Figure]
    tables: dict[str, Table]


def read_figures(root: Path) -> Told:
    """Of docs/figures.yaml under `root`. Raises FigureError."""
    told = yaml.safe_load((root / "docs/figures.yaml").read_text("utf-8"))
    files = {name: _load(root, where) for name, where in told["files"].items()}
    figures = {name: _figure(name, one, files) for name, one in told["figures"].items()}
    return Told(figures, read_tables(told.get("tables", {}), files, told.get("words_fr", {})))


def _load(root: Path, where: str) -> Any:
    path = root / _PLACE.sub(lambda place: shipped(root, place[1] or "cni"), where)
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None


def shipped(root: Path, name: str = "cni") -> str:
    """The folder of a shipped adapter's revision, as a path from the root."""
    found = sorted(path.parent for path in root.glob(f"adapters/{name}/*/manifest.json"))
    if len(found) != 1:
        raise FigureError(f"adapters/{name} has {len(found)} revisions: one is the shipped one")
    return found[0].relative_to(root).as_posix()


def _figure(name: str, told: dict[str, Any], files: dict[str, Any]) -> Figure:
    look = [jmespath.search(told[key], files[told["file"]]) for key in ("at", "over") if key in told]
    if any(not isinstance(found, int | float) for found in look):
        raise FigureError(f"docs/figures.yaml, {name}: the result file {told['file']!r} has no number at {told['at']}")
    value = look[0] * told.get("times", 1) / (look[1] if "over" in told else 1)
    return Figure(value, told.get("digits", 1), told.get("unit", ""))


def pages(root: Path) -> list[Path]:
    """Every page whose numbers are of today."""
    found = [*root.glob("README*.md"), *(root / "docs").rglob("*.md"), root / "benchmarks/README.md"]
    return sorted(page for page in found if not page.relative_to(root).as_posix().startswith(_HISTORY))


def filled(text: str, told: Told, french: bool, folder: str) -> str:
    """`text` with every figure, table and path of the shipped revision as they are now. Raises FigureError."""

    def figure(mark: re.Match[str]) -> str:
        if mark[1] not in told.figures:
            raise FigureError(f"no figure is called {mark[1]} (docs/figures.yaml)")
        return f"<!--={mark[1]}-->{told.figures[mark[1]].text(french)}<!--/-->"

    def table(mark: re.Match[str]) -> str:
        if mark[1] not in told.tables:
            raise FigureError(f"no table is called {mark[1]} (docs/figures.yaml)")
        return f"<!--table={mark[1]}-->\n{told.tables[mark[1]].text(french, _shown)}\n<!--/table-->"

    return MARK.sub(figure, tables.MARK.sub(table, _SHIPPED.sub(folder, text)))


def _shown(value: float, how: dict[str, Any], french: bool) -> str:
    return Figure(value * how.get("times", 1), how["digits"], how.get("unit", "")).text(french)


def main() -> int:
    """0 when every page says what the results say."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.publish.figures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", action="store_true", help="bring the pages up to date")
    args = parser.parse_args()
    try:
        told, folder = read_figures(ROOT), shipped(ROOT)
        old = behind(ROOT, pages(ROOT), lambda text, french: filled(text, told, french, folder), args.write)
    except FigureError as error:
        print(f"figures: {error}", file=sys.stderr)
        return 1
    print(f"{'brought up to date' if args.write else 'behind their results'}: {', '.join(old) or 'none'}")
    return int(bool(old) and not args.write)


if __name__ == "__main__":
    sys.exit(main())

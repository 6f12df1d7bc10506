"""Whole tables of a page, between `<!--table=NAME-->` and `<!--/table-->`: what docs/figures.yaml says under `tables`.

A table has a result file, a JMESPath for its rows, and for each column its head and the key of a row, alone or as
`{at: JMESPath, digits: 2, unit: s, times: 0.001}`. Without digits a value stands as it is. `heads_fr` says the heads of
a French page, for all tables together.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath

MARK = re.compile(r"<!--table=([\w.-]+)-->.*?<!--/table-->", re.DOTALL)
Shown = Callable[[float, dict[str, Any], bool], str]


@dataclass(frozen=True)
class Table:
    """`rows`: of the result file; `columns`: head to how its cell is found; `french`: a head in French."""

    rows: list[Any]
    columns: dict[str, Any]
    french: Mapping[str, str] = field(default_factory=dict)

    def text(self, french: bool, shown: Shown) -> str:
        """Markdown. `shown` writes a number as its language does."""
        heads = [self.french.get(head, head) if french else head for head in self.columns]
        lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
        for row in self.rows:
            cells = [_cell(row, told, french, shown) for told in self.columns.values()]
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines)


def read_tables(told: dict[str, Any], files: dict[str, Any], french: Mapping[str, str]) -> dict[str, Table]:
    """Of docs/figures.yaml. A file that is not there leaves a table without rows."""
    return {
        name: Table(jmespath.search(one["rows"], files[one["file"]]) or [], one["columns"], french)
        for name, one in told.items()
    }


def _cell(row: Any, told: Any, french: bool, shown: Shown) -> str:
    how = told if isinstance(told, dict) else {"at": told}
    found = jmespath.search(how["at"], row)
    if found is None:
        return ""
    if isinstance(found, bool):
        return {(True, False): "yes", (False, False): "no", (True, True): "oui", (False, True): "non"}[found, french]
    return shown(found, how, french) if isinstance(found, int | float) and "digits" in how else str(found)

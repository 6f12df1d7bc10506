"""Whole tables of a page, between `<!--table=NAME-->` and `<!--/table-->`: what docs/figures.yaml says under `tables`.

A table has a result file, a JMESPath for its rows, and for each column its head and the key of a row, alone or as
`{at: JMESPath, digits: 2, unit: s, times: 0.001}`. Without digits a value stands as it is. Rows of several files are
told one by one: `{what: words, file: its file, in: JMESPath, at: JMESPath}`, where `at`, within what `in` finds, gives
the row's keys beside `what`. `words_fr` says heads and words of a French page, for all tables together.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath

from adapters.markdown import markdown_table

MARK = re.compile(r"<!--table=([\w.-]+)-->.*?<!--/table-->", re.DOTALL)
Shown = Callable[[float, dict[str, Any], bool], str]


@dataclass(frozen=True)
class Table:
    """`rows`: of result files; `columns`: head to how its cell is found; `french`: a head or word in French."""

    rows: list[Any]
    columns: dict[str, Any]
    french: Mapping[str, str] = field(default_factory=dict)

    def text(self, french: bool, shown: Shown) -> str:
        """Markdown. `shown` writes a number as its language does."""
        heads = [self.french.get(head, head) if french else head for head in self.columns]
        told = self.columns.values()
        return markdown_table(heads, [[self._cell(row, one, french, shown) for one in told] for row in self.rows])

    def _cell(self, row: Any, told: Any, french: bool, shown: Shown) -> str:
        how = told if isinstance(told, dict) else {"at": told}
        found = jmespath.search(how["at"], row)
        if found is None:
            return ""
        if isinstance(found, bool):
            return {(True, False): "yes", (False, False): "no", (True, True): "oui", (False, True): "non"}[
                found, french
            ]
        if isinstance(found, int | float) and "digits" in how:
            return shown(found, how, french)
        return self.french.get(str(found), str(found)) if french else str(found)


def read_tables(told: dict[str, Any], files: dict[str, Any], french: Mapping[str, str]) -> dict[str, Table]:
    """Of docs/figures.yaml. A file that is not there leaves a table without rows, or a row without cells."""
    return {name: Table(_rows(one, files), one["columns"], french) for name, one in told.items()}


def _rows(told: dict[str, Any], files: dict[str, Any]) -> list[Any]:
    if isinstance(told["rows"], str):
        return jmespath.search(told["rows"], files[told["file"]]) or []
    return [{"what": one["what"], **_keys(one, files[one["file"]])} for one in told["rows"]]


def _keys(told: dict[str, Any], file: Any) -> dict[str, Any]:
    return jmespath.search(told["at"], jmespath.search(told.get("in", "@"), file)) or {}

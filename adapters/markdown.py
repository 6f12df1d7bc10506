"""Tables for people."""

from collections.abc import Iterable, Sequence


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table, a cell each of `heads` in every row; without a line end after the last."""
    return "\n".join([_line(heads), "|" + " --- |" * len(heads), *map(_line, rows)])


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"

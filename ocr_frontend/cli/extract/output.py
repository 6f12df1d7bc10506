"""Records as a person or a program wants them."""

import csv
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ocr_frontend.documents.registry import builtin

FORMATS = ("table", "json", "jsonl", "csv")
# Every field of every document once, so that a folder of different documents fits one sheet.
FIELDS = tuple(dict.fromkeys(name for document in builtin().readable.values() for name in document.keys))
_REST = "other_fields"  # as JSON: fields of documents that the sheet has no columns for


@dataclass(frozen=True, slots=True)
class Record:
    """One file: the body of `/v1/extract`, or one sentence."""

    file: str
    answer: dict[str, Any] | None = None
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        """`{"file", "answer"}` or `{"file", "error"}`."""
        return {"file": self.file} | ({"answer": self.answer} if self.error is None else {"error": self.error})


class Writer:
    """Writes records as they come; `close` ends what a format must end."""

    def __init__(self, form: str, out: TextIO) -> None:
        self._form, self._out = form, out
        self._begun = False
        self._csv: csv.DictWriter[str] | None = None
        self._console = Console(file=out, highlight=False)

    def write(self, record: Record) -> None:
        """One record, at once."""
        if self._form == "table":
            if record.answer is not None:
                self._console.print(_table(record.file, record.answer))
            return
        if self._form == "csv":
            self._csv = self._csv or _sheet(self._out, record)
            self._csv.writerow({name: _safe(value) for name, value in _row(record, self._csv.fieldnames).items()})
        else:
            text = json.dumps(record.as_json(), ensure_ascii=False)
            self._out.write(text + "\n" if self._form == "jsonl" else (",\n" if self._begun else "[\n") + text)
        self._begun = True
        self._out.flush()

    def close(self) -> None:
        """The end of a JSON list."""
        if self._form == "json":
            self._out.write("\n]\n" if self._begun else "[]\n")


def _sheet(out: TextIO, first: Record) -> "csv.DictWriter[str]":
    """With columns for the built-in documents' fields, and for the first answer's where it is of another document."""
    own = tuple(name for name in (first.answer or {}).get("data", {}) if name not in FIELDS)
    columns = ("file", "document", "model", *own, *FIELDS, _REST, "least_confidence", "warnings", "error")
    sheet = csv.DictWriter(out, columns)
    sheet.writeheader()
    return sheet


def _row(record: Record, columns: Collection[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"file": record.file, "error": record.error}
    if record.answer is None:
        return row
    fields = record.answer["fields"]
    known = [field["confidence"] for field in fields.values() if field["confidence"] is not None]
    warnings = _told(record.answer["warnings"])
    warnings += [f"{name}: {text}" for name, field in fields.items() for text in _told(field["warnings"])]
    data = record.answer["data"]
    rest = {name: value for name, value in data.items() if name not in columns}
    return row | {name: value for name, value in data.items() if name in columns} | {
        _REST: json.dumps(rest, ensure_ascii=False) if rest else "",
        "document": record.answer["document"], "model": record.answer["model"],
        "least_confidence": min(known, default=None), "warnings": " ".join(warnings),
    }  # fmt: skip


def _told(warnings: list[dict[str, Any]]) -> list[str]:
    return [str(warning["message"]) for warning in warnings]


def _safe(value: Any) -> Any:
    """Text read from a picture must not become a formula in a spreadsheet."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t") else value


def _table(file: str, answer: dict[str, Any]) -> Table:
    table = Table("field", "value", "confidence", "warnings", title=None, caption=_caption(answer))
    table.title = escape(f"{file}: {answer['document']}")
    for name, field in answer["fields"].items():
        value, confidence = field["value"], field["confidence"]
        table.add_row(
            escape(name),
            "" if value is None else escape(str(value)),
            "–" if confidence is None else f"{confidence:.0%}",
            " ".join(_told(field["warnings"])),
        )
    return table


def _caption(answer: dict[str, Any]) -> str:
    seconds = answer["timings_ms"]["total"] / 1000
    return " ".join([f"{answer['model']}, {seconds:.2f} s.", *_told(answer["warnings"])])

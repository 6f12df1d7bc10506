"""JSON Lines: every row with its number, and one clear sentence for what is none."""

import gzip
from pathlib import Path

import pytest

from adapters.data.json_lines import rows
from adapters.errors import DataError


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_rows_are_numbered_and_a_line_separator_within_a_text_is_none(tmp_path: Path, name: str) -> None:
    text = '{"a": "one\u2028line"}\n\n  \n{"a": 2}\n'.encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    assert list(rows(tmp_path / name)) == [(1, {"a": "one\u2028line"}), (4, {"a": 2})]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", b'{"a": 1}\n[2]\n', "a.jsonl, line 2, is not a JSON object. Make it with make it."),
        ("a.jsonl", b"{", "line 1, is not a JSON object"),
        ("a.jsonl", b"\xff\xfe{}", "a.jsonl is not UTF-8 text"),
        ("a.jsonl.gz", b"{}", "cannot be read"),
        ("a.jsonl.gz", gzip.compress(b'{"a": 1}', mtime=0)[:-6], "cannot be read"),
    ],
)
def test_what_is_none_is_told_in_one_sentence(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=said):
        list(rows(tmp_path / name, "make it"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.jsonl cannot be read: No such file or directory\.$"):
        list(rows(tmp_path / "gone.jsonl"))

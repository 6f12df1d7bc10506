"""JSON Lines of labelled examples, and of corrections that the front exported (`GET /v1/corrections`).

`{"fields": {"total": "9.00"}, "lines": ["TOTAL", "9.00"]}`; a line may be `{"text": …, "box": [[x, y], …]}`, as
`python -m ocr_frontend lines` writes it. With `"picture": "001.jpg"` in the place of lines, they are looked up by the
picture's name in `lines.jsonl` beside the file.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from adapters.data.given.example import Given
from adapters.data.json_lines import rows
from adapters.data.lines import Line
from adapters.errors import DataError
from adapters.training.targets import Target

READ = "lines.jsonl"  # what `python -m ocr_frontend lines` wrote of the pictures beside it


def read_entries(path: Path, document: str | None, keys: tuple[str, ...] | None) -> Iterator[Given]:
    """The examples of one document with these fields; rows that name another one are left out. None: of any.

    Raises DataError that names the row.
    """
    read: dict[str, list[Line]] | None = None
    for number, row in rows(path):
        try:
            if document is not None and row.get("document", document) != document:
                continue
            if "picture" in row and "lines" not in row and read is None:
                read = read_lines(path.parent / READ)
            yield _given(row, number, path.parent, keys, read or {})
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise DataError(f"{path.name}, line {number}, is no example: {error}.") from None


def read_lines(path: Path) -> dict[str, list[Line]]:
    """Lines by picture, as `python -m ocr_frontend lines PICTURES > lines.jsonl` has them; empty without the file."""
    if not path.is_file():
        return {}
    try:
        return {Path(row["file"]).name: [_line(each) for each in row["lines"]] for _, row in rows(path)}
    except (ValueError, TypeError, KeyError):
        raise DataError(
            f"{path.name} is not what `python -m ocr_frontend lines` writes: read the pictures again."
        ) from None


def _given(
    row: Mapping[str, Any], number: int, folder: Path, keys: tuple[str, ...] | None, read: Mapping[str, list[Line]]
) -> Given:
    """Raises ValueError, TypeError, KeyError for anything else than an example."""
    name = str(row.get("id") or row.get("picture") or number)
    picture = folder / row["picture"] if "picture" in row else None
    found = read.get(picture.name, []) if picture is not None and "lines" not in row else row.get("lines", [])
    lines = tuple(each if isinstance(each, Line) else _line(each) for each in found)
    if not lines and picture is None:
        raise ValueError("it has neither lines nor a picture")
    if "targets" in row and keys is not None:
        place = {old: new for new, old in enumerate(n for n, line in enumerate(lines) if line.text.strip())}
        kept = tuple(line for line in lines if line.text.strip())
        return Given(name, {}, kept, picture, _corrected(row["targets"], keys, place))
    unknown = set() if keys is None else set(row["fields"]) - set(keys)
    if unknown:
        raise ValueError(f"the document has no field {', '.join(sorted(unknown))}")
    fields = {key: None if value is None else str(value) for key, value in row["fields"].items()}
    return Given(name, fields, lines, picture)


def _line(given: Any) -> Line:
    if isinstance(given, str):
        return Line(given)
    box = tuple((float(x), float(y)) for x, y in given.get("box", ()))
    return Line(str(given["text"]), float(given.get("confidence", 1.0)), box)


def _corrected(targets: Any, keys: tuple[str, ...], place: Mapping[int, int]) -> dict[str, Target]:
    """The targets of an export row, in the order of the fields. place: a line's number once blank ones are left out."""
    if len(targets) != len(keys):
        raise ValueError("it has not one target a field: the document has changed since")
    found: dict[str, Target] = {}
    for key, target in zip(keys, targets, strict=True):
        if target is None or isinstance(target, str):
            found[key] = target
            continue
        numbers = target if isinstance(target, list) else [target]
        if not numbers or not all(type(number) is int and number in place for number in numbers):
            raise ValueError("a target points at a line that is not there")
        moved = tuple(place[number] for number in numbers)
        found[key] = moved if len(moved) > 1 else moved[0]
    return found

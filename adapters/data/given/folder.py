"""Folders of scans with one file each of boxes and of values, as the ICDAR 2019 challenge on receipts has them.

`box/NAME.csv` (or .txt): eight coordinates and the text of a line; `key/NAME.json`: the values; `img/NAME.jpg`.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from adapters.data.given.example import Given
from adapters.data.given.rows import by_rows
from adapters.data.lines import Line
from adapters.errors import DataError

_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")


def is_folder(path: Path) -> bool:
    """Whether the path is such a folder."""
    return (path / "key").is_dir() and ((path / "box").is_dir() or (path / "img").is_dir())


def read_folder(path: Path) -> Iterator[Given]:
    """Its examples by name. Raises DataError that names the broken file."""
    for key in sorted((path / "key").glob("*.json")):
        boxes = next((file for end in ("csv", "txt") if (file := path / "box" / f"{key.stem}.{end}").is_file()), None)
        picture = next((file for end in _PICTURES if (file := path / "img" / f"{key.stem}{end}").is_file()), None)
        yield Given(key.stem, _values(key), tuple(by_rows(list(_lines(boxes)))) if boxes else (), picture)


def _values(path: Path) -> dict[str, str | None]:
    try:
        values = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path.parent.name}/{path.name} is not JSON: mend it or take it out of the folder.") from error
    if not isinstance(values, dict) or not all(value is None or isinstance(value, str) for value in values.values()):
        raise DataError(f"{path.parent.name}/{path.name} is not an object of texts: mend it or take it out.")
    return {key: " ".join(value.split()) or None if value else None for key, value in values.items()}


def _lines(path: Path) -> Iterator[Line]:
    for number, row in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if not row.strip():
            continue
        *corners, text = row.split(",", 8)
        try:
            numbers = [float(corner) for corner in corners]
        except ValueError:
            numbers = []
        if len(numbers) != 8:
            raise DataError(f"{path.parent.name}/{path.name}, line {number}, is not eight numbers and a text.")
        yield Line(text.strip(), polygon=tuple(zip(numbers[::2], numbers[1::2], strict=True)))

"""Pages that hold what a command fills in: which are behind, and bringing them up to date."""

from collections.abc import Callable, Iterable
from pathlib import Path


def behind(root: Path, pages: Iterable[Path], filled: Callable[[str, bool], str], write: bool) -> list[str]:
    """Those below `root` that `filled` (of a text, and whether it is French) would change, and changes with `write`."""
    found = []
    for page in pages:
        text = page.read_text("utf-8")
        if (new := filled(text, page.name.endswith(".fr.md"))) != text:
            found.append(page.relative_to(root).as_posix())
            if write:
                page.write_text(new, "utf-8")
    return found

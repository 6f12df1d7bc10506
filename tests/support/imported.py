"""Which of our own files a module needs, read from the code without running it."""

from __future__ import annotations

import ast
from pathlib import Path


def imported(root: Path, module: str) -> set[Path]:
    """Files below `root`, relative to it: the module's own, all that it imports anywhere, and their packages."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        path = _file(root, waiting.pop())
        if path is None or path in found:
            continue
        found.add(path)
        found |= {parent / "__init__.py" for parent in path.parents if (root / parent / "__init__.py").is_file()}
        waiting += names(root / path)
    return found


def names(path: Path) -> set[str]:
    """What a file imports: modules, and names of modules in full."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _file(root: Path, module: str) -> Path | None:
    """A name that is no module is one of its module's."""
    parts = module.split(".")
    for path in (Path(*parts), *([Path(*parts[:-1])] if parts[1:] else [])):
        for one in (path / "__init__.py", path.with_suffix(".py")):
            if (root / one).is_file():
                return one
    return None

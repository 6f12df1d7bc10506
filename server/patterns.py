"""Where adapters that nobody has registered are looked for by their name: `hf://team/{name}`, `s3://models/{name}/final`.

A name holds letters, digits, `.`, `_` and `-` alone, so that it can only fill the place that a pattern leaves for it.
"""

from collections.abc import Sequence
from urllib.parse import unquote

PLACE = "{name}"


def parse_list(text: str) -> list[str]:
    """What stands between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def check_patterns(patterns: Sequence[str], prefixes: Sequence[str], has_root: bool) -> None:
    """Raise ValueError with one sentence for a pattern that could lead elsewhere than to an allowed source.

    `prefixes`: of remote sources; `has_root`: whether folders may be read at all.
    """
    for pattern in patterns:
        around = pattern.replace(PLACE, "")
        if pattern.count(PLACE) != 1 or "{" in around or "}" in around:
            raise ValueError(f"{pattern!r} needs {PLACE} once, where the adapter's name is to stand")
        if climbs(pattern):
            raise ValueError(f"{pattern!r} must not climb (..)")
        if "://" in pattern and not any(is_under(pattern, prefix) for prefix in prefixes):
            raise ValueError(f"{pattern!r} is under no prefix of SERVER_REMOTE_SOURCES: name one there")
        if "://" not in pattern and not has_root:
            raise ValueError(f"{pattern!r} is a folder, and SERVER_IMPORT_ROOT is not set")


def is_under(source: str, prefix: str) -> bool:
    """Whether `source` is the prefix or lies in it: `s3://models` does not stand for `s3://models-of-others`."""
    return source == prefix or source.startswith(prefix if prefix.endswith("/") else f"{prefix}/")


def climbs(source: str) -> bool:
    """Decoded as a web server would, twice too: what climbs out of a prefix is none of it."""
    return any(".." in text for text in (source, unquote(source), unquote(unquote(source))))

"""PEFT's rank_pattern and alpha_pattern hold regular expressions; a revision names its modules.

PEFT's rule (peft.utils.get_pattern_key): the first key for which `(.*\\.)?(key)$` matches the module's name.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import regex  # type: ignore[import-untyped]

from adapters.registry.errors import Refused

KEYS = ("rank_pattern", "alpha_pattern")
_SECONDS = 1.0  # an expression that takes longer on one name was made to
_MOST = 256  # expressions


def expand(config: dict[str, Any], modules: Iterable[str]) -> dict[str, Any]:
    """The configuration with both patterns by full names of `modules`. Raises Refused."""
    names = sorted(modules)
    return config | {key: _named(key, config[key], names) for key in KEYS if config.get(key)}


def _named(key: str, patterns: Any, names: list[str]) -> dict[str, Any]:
    if not isinstance(patterns, Mapping) or len(patterns) > _MOST:
        raise Refused("config-schema", f"adapter_config.json: {key} is no object of at most {_MOST} patterns.")
    try:
        compiled = [(regex.compile(rf"(?:.*\.)?(?:{pattern})$"), value) for pattern, value in patterns.items()]
        found = ((name, _first(compiled, name)) for name in names)
        return {name: value for name, value in found if value is not None}
    except (regex.error, TimeoutError) as error:
        what = "takes too long" if isinstance(error, TimeoutError) else "is no regular expression"
        raise Refused(
            "config-schema", f"adapter_config.json: a key of {key} {what}: name the modules instead."
        ) from error


def _first(compiled: list[tuple[Any, Any]], name: str) -> Any:
    return next((value for pattern, value in compiled if pattern.match(name, timeout=_SECONDS)), None)

"""How something of vLLM is replaced: once in a process, and so that what stood there can be found again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_STOCK = "cni_stock"


def patch_once(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put `make(stock)` in the place of `owner.name`, a function; calling it again changes nothing."""
    stock = getattr(owner, name)
    if is_ours(stock):
        return
    made = make(stock)
    setattr(made, _STOCK, stock)
    setattr(owner, name, made)


def is_ours(function: Any) -> bool:
    """Whether it stands in the place of one of vLLM's."""
    return _STOCK in getattr(function, "__dict__", {})


def stock_of(function: Any) -> Any:
    """vLLM's own, whether it was replaced or not."""
    return getattr(function, _STOCK, function)

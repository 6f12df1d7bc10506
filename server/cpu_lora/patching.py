"""How something of vLLM is replaced: once, under its name and signature, and so that what stood there can be found."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

_STOCK = "cni_stock"


def patch_once(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put `make(stock)` in the place of `owner.name`, a function; calling it again changes nothing.

    `make` gives a function of its own, which gets the stock one's name, text and signature: vLLM asks some functions
    for their parameters, and so does the contract in a process that registers twice.
    """
    stock = getattr(owner, name)
    if is_ours(stock):
        return
    # Without the stock one's attributes: a compiler's marks on it would send callers past ours.
    made = functools.update_wrapper(make(stock), stock, updated=())
    setattr(made, _STOCK, stock)
    setattr(owner, name, made)


def is_ours(function: Any) -> bool:
    """Whether it stands in the place of one of vLLM's."""
    return _STOCK in getattr(function, "__dict__", {})


def stock_of(function: Any) -> Any:
    """vLLM's own, whether it was replaced or not."""
    return getattr(function, _STOCK, function)

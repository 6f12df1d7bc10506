"""A replacement looks like what it replaces, is made once, and lets that be found again."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from server.cpu_lora.patching import is_ours, patch_once, stock_of


def _louder(stock: Callable[..., str]) -> Callable[..., str]:
    def anything(*arguments: Any, **named: Any) -> str:
        return stock(*arguments, **named).upper()

    return anything


@pytest.fixture
def owner() -> Any:
    class Owner:
        def say(self, word: str, *, twice: bool = False) -> str:
            """Says it."""
            return word * (1 + twice)

    return Owner


def test_it_has_its_original_s_name_text_and_signature(owner: Any) -> None:
    stock = owner.say
    patch_once(owner, "say", _louder)
    assert owner.say is not stock and owner().say("a", twice=True) == "AA"
    assert inspect.signature(owner.say) == inspect.signature(stock)
    assert list(inspect.signature(owner().say).parameters) == ["word", "twice"]
    assert (owner.say.__name__, owner.say.__qualname__, owner.say.__doc__) == ("say", stock.__qualname__, "Says it.")
    assert inspect.unwrap(owner.say) is stock


def test_it_is_made_once_and_what_stood_there_is_found(owner: Any) -> None:
    stock, made = owner.say, []

    def make(given: Any) -> Any:
        made.append(given)
        return _louder(given)

    patch_once(owner, "say", make)
    patch_once(owner, "say", make)
    assert made == [stock] and is_ours(owner.say) and stock_of(owner.say) is stock
    assert not is_ours(stock) and stock_of(stock) is stock


def test_marks_on_the_original_stay_on_it(owner: Any) -> None:
    """torch.compile leaves its own attributes on what it compiled."""
    owner.say.compiled_as = "something else"
    patch_once(owner, "say", _louder)
    assert not hasattr(owner.say, "compiled_as") and stock_of(owner.say).compiled_as == "something else"

"""vLLM's worker, extended (`--worker-extension-cls`): which adapters are in slots, and pinned ones that keep theirs.

vLLM's own pins are not used. It cannot take one back, and a batch of more unpinned adapters than free slots would then
evict an adapter of that very batch. Here a pinned adapter is touched before each choice of a victim, so that it is
never the least recently used; plain LRU stays right for every batch. `seats.py` keeps batches small enough for it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from server.cpu_lora.settings import read_settings
from server.vllm.start import describe

# Before the text of an error that speaks against the adapter itself.
REFUSED = "[cni: refused]"


class SlotControl:
    """Mixed into vLLM's worker class. Called by `collective_rpc`, between two steps of the engine."""

    model_runner: Any

    def cni_begin(self) -> dict[str, str]:
        """Protect the slots from the first request on; what serves LoRA here (vllm/start.py)."""
        from vllm.platforms import current_platform  # only a worker has it

        manager = self.model_runner.lora_manager
        _pins(manager)
        wrappers = manager._adapter_manager.punica_wrapper_mapping.values()
        return describe(list(wrappers), current_platform.device_type, read_settings(os.environ))

    def cni_slots(self) -> tuple[list[int], int, int]:
        """Ids of the adapters in slots now; hits and misses (control/engine.py) since the first call."""
        manager = self.model_runner.lora_manager
        _pins(manager)
        ids = [lora_id for lora_id in manager._adapter_manager.lora_index_to_id if lora_id is not None]
        return ids, manager.cni_hits, manager.cni_misses

    def cni_pin(self, lora_id: int) -> bool:
        """Put a loaded adapter into a slot and let it stay there; whether it is loaded."""
        manager = self.model_runner.lora_manager
        pinned = _pins(manager)
        if lora_id not in manager.list_adapters():
            return False
        _touch(manager, pinned)
        manager._adapter_manager.activate_adapter(lora_id)
        pinned.add(lora_id)
        return True

    def cni_unpin(self, lora_id: int) -> None:
        """It may leave its slot again."""
        _pins(self.model_runner.lora_manager).discard(lora_id)


def _pins(manager: Any) -> set[int]:
    """The pinned ids of a worker's LoRA manager; the first call makes the manager heed them."""
    if not hasattr(manager, "cni_pinned"):
        manager.cni_pinned = set()
        manager.cni_hits = manager.cni_misses = 0
        _heed(manager)
    pinned: set[int] = manager.cni_pinned
    return pinned


def _heed(manager: Any) -> None:
    """Touch the pins before a batch, and before a load outside of one; never between two adapters of a batch."""
    apply_adapters, add_adapter = manager._apply_adapters, manager.add_adapter
    applying = False

    def apply(requests: Any) -> None:
        nonlocal applying
        _touch(manager, manager.cni_pinned)
        active = manager._adapter_manager._active_adapters
        found = sum(request.lora_int_id in active for request in requests if request)
        manager.cni_hits += found
        manager.cni_misses += len(requests) - found
        applying = True
        try:
            apply_adapters(requests)
        finally:
            applying = False

    def add(request: Any) -> bool:
        if applying:
            return bool(add_adapter(request))
        _touch(manager, manager.cni_pinned)
        with _slots_kept(manager._adapter_manager), _refusals_marked():
            return bool(add_adapter(request))

    manager._apply_adapters, manager.add_adapter = apply, add


@contextmanager
def _refusals_marked() -> Iterator[None]:
    """Only an exception's text reaches the server's process: what vLLM's validation says gets a mark there.

    A damaged or missing file raises something else (OSError, SafetensorError, vLLM's own "not found").
    """
    try:
        yield
    except (ValueError, NotImplementedError) as error:
        raise ValueError(f"{REFUSED} {error}") from error


@contextmanager
def _slots_kept(inner: Any) -> Iterator[None]:
    """Where no slot is free, a load outside of a batch takes none: its victim may be running, and would push out the
    next one when it comes back. The batch that asks for the adapter finds it a slot."""
    if None in inner.lora_index_to_id:
        yield
        return
    activate = inner.activate_adapter
    inner.activate_adapter = lambda lora_id: lora_id in inner._active_adapters and activate(lora_id)
    try:
        yield
    finally:
        del inner.activate_adapter


def _touch(manager: Any, pinned: set[int]) -> None:
    inner = manager._adapter_manager
    for lora_id in pinned:
        inner._active_adapters.touch(lora_id)
        inner._registered_adapters.touch(lora_id)

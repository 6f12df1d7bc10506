"""What vLLM's LoRA managers (0.32) do between two steps, shortened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.cpu_lora.lending import Lender
from server.cpu_lora.patching import patch_once

_LENDER = "cni_lender"
Method = Callable[..., Any]


def lend() -> None:
    """Let an adapter lend its weights to a slot (`lending`) until it leaves it, once."""
    from vllm.lora.model_manager import LoRAModelManager  # heavy

    patch_once(LoRAModelManager, "activate_adapter", _activating)
    patch_once(LoRAModelManager, "_deactivate_adapter", _leaving)
    patch_once(LoRAModelManager, "remove_all_adapters", _leaving_all)


def _activating(stock: Method) -> Method:
    def activate_adapter(self: Any, lora_id: int) -> bool:
        if lora_id in self._active_adapters or None not in self.lora_index_to_id:
            return bool(stock(self, lora_id))
        slot = self.lora_index_to_id.index(None)
        if not _lender(self).lend(self._registered_adapters[lora_id], slot, self._get_lora_layer_weights):
            return bool(stock(self, lora_id))
        self._active_adapters[lora_id] = None
        self.lora_index_to_id[slot] = lora_id
        return True

    return activate_adapter


def _leaving(stock: Method) -> Method:
    def _deactivate_adapter(self: Any, lora_id: int) -> None:
        if lora_id in self.lora_index_to_id:
            _lender(self).take_back(self.lora_index_to_id.index(lora_id))
        stock(self, lora_id)

    return _deactivate_adapter


def _leaving_all(stock: Method) -> Method:
    def remove_all_adapters(self: Any) -> None:
        for slot in range(len(self.lora_index_to_id)):
            _lender(self).take_back(slot)
        stock(self)

    return remove_all_adapters


def _lender(manager: Any) -> Lender:
    found = manager.__dict__.get(_LENDER)
    if found is None:
        found = manager.__dict__[_LENDER] = Lender(manager)
    lender: Lender = found
    return lender


def shorten_bookkeeping() -> None:
    """Let a step find its adapters without a copy of the list of all loaded ones for each of them, once."""
    from vllm.lora.worker_manager import LRUCacheWorkerLoRAManager  # heavy

    patch_once(LRUCacheWorkerLoRAManager, "add_adapter", _finding)


def _finding(stock: Method) -> Method:
    def add_adapter(self: Any, lora_request: Any) -> bool:
        inner = self._adapter_manager
        if lora_request.load_inplace or inner.get_adapter(lora_request.lora_int_id) is None:
            return bool(stock(self, lora_request))
        inner.activate_adapter(lora_request.lora_int_id)
        return True

    return add_adapter

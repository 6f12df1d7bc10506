"""What vLLM's LoRA managers (0.32) do between two steps, shortened."""

from __future__ import annotations

from typing import Any

from server.cpu_lora.lending import Lender

_LENDER = "cni_lender"


def lend() -> None:
    """Let an adapter lend its weights to a slot (`lending`), once."""
    from vllm.lora.model_manager import LoRAModelManager  # heavy

    stock = LoRAModelManager.activate_adapter
    if getattr(stock, "is_cni", False):
        return

    def activate_adapter(self: Any, lora_id: int) -> bool:
        if lora_id in self._active_adapters or None not in self.lora_index_to_id:
            return bool(stock(self, lora_id))
        lender = self.__dict__.get(_LENDER)
        if lender is None:
            lender = self.__dict__[_LENDER] = Lender(self)
        slot = self.lora_index_to_id.index(None)
        adapter = self._registered_adapters[lora_id]
        if not lender.lend(adapter, slot, self._get_lora_layer_weights):
            lender.take_back(slot)
            return bool(stock(self, lora_id))
        self._active_adapters[lora_id] = None
        self.lora_index_to_id[slot] = lora_id
        return True

    activate_adapter.is_cni = True  # type: ignore[attr-defined]
    LoRAModelManager.activate_adapter = activate_adapter


def shorten_bookkeeping() -> None:
    """Let a step find its adapters without a copy of the list of all loaded ones for each of them, once."""
    from vllm.lora.worker_manager import LRUCacheWorkerLoRAManager  # heavy

    stock = LRUCacheWorkerLoRAManager.add_adapter
    if getattr(stock, "is_cni", False):
        return

    def add_adapter(self: Any, lora_request: Any) -> bool:
        inner = self._adapter_manager
        if lora_request.load_inplace or inner.get_adapter(lora_request.lora_int_id) is None:
            return bool(stock(self, lora_request))
        inner.activate_adapter(lora_request.lora_int_id)
        return True

    add_adapter.is_cni = True  # type: ignore[attr-defined]
    LRUCacheWorkerLoRAManager.add_adapter = add_adapter

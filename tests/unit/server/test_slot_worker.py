"""Pinned adapters keep their slots in vLLM's own cache of adapters, and every batch gets all that it needs."""

import random
from types import SimpleNamespace
from typing import Any

import pytest
from vllm.lora.model_manager import AdapterLRUCache, LRUCacheLoRAModelManager
from vllm.lora.worker_manager import LRUCacheWorkerLoRAManager

from server.vllm.slot_worker import SlotControl

SLOTS, PLACES = 4, 12


class Worker(SlotControl):
    """vLLM's worker around vLLM's real managers, with adapters that are nothing but their id."""

    def __init__(self) -> None:
        inner: Any = LRUCacheLoRAModelManager.__new__(LRUCacheLoRAModelManager)
        inner.lora_config = SimpleNamespace(max_loras=SLOTS, max_cpu_loras=PLACES)
        inner.lora_index_to_id = [None] * SLOTS
        inner.modules = {}
        inner._add_adapter = lambda lora: inner._registered_adapters.__setitem__(lora.id, lora)
        inner._registered_adapters = AdapterLRUCache(PLACES, inner.deactivate_adapter)
        inner._active_adapters = AdapterLRUCache(SLOTS, inner._deactivate_adapter)
        self.manager: Any = LRUCacheWorkerLoRAManager.__new__(LRUCacheWorkerLoRAManager)
        self.manager._adapter_manager = inner
        self.manager._load_adapter = lambda request: SimpleNamespace(id=request.lora_int_id)
        self.model_runner = SimpleNamespace(lora_manager=self.manager)

    def step(self, *ids: int) -> None:
        """A batch of these adapters, as the model runner announces it."""
        self.manager._apply_adapters({request(lora_id) for lora_id in ids})

    def load(self, lora_id: int) -> None:
        """As vLLM's `add_lora`."""
        self.manager.add_adapter(request(lora_id))

    @property
    def slots(self) -> set[int]:
        return set(self.cni_slots()[0])


class Request(SimpleNamespace):
    def __hash__(self) -> int:
        return hash(self.lora_int_id)


def request(lora_id: int) -> Request:
    return Request(lora_int_id=lora_id, adapter_id=lora_id, load_inplace=False)


@pytest.fixture
def worker() -> Worker:
    made = Worker()
    for lora_id in range(8):
        made.load(lora_id)
    return made


def test_a_pin_is_in_a_slot_at_once_and_stays_there(worker: Worker) -> None:
    assert worker.cni_pin(0) and worker.cni_pin(1)
    rng = random.Random(1)
    for _ in range(300):
        batch = rng.sample(range(2, 8), rng.randint(1, SLOTS - 2))
        worker.step(*batch, *rng.sample([0, 1], rng.randint(0, 2)))
        assert {0, 1, *batch} <= worker.slots
        if rng.random() < 0.3:
            worker.load(100 + rng.randrange(50))
            assert {0, 1} <= worker.slots


def test_a_batch_that_needs_every_slot_is_right_all_the_same(worker: Worker) -> None:
    """More others than are left beside the pins: a pin has to wait, no adapter of the batch may."""
    worker.cni_pin(0)
    worker.cni_pin(1)
    rng = random.Random(2)
    for _ in range(300):
        batch = rng.sample(range(8), SLOTS)
        worker.step(*batch)
        assert worker.slots == set(batch)


def test_a_load_takes_a_free_slot_but_none_of_an_adapter_that_may_be_running(worker: Worker) -> None:
    worker.cni_slots()
    worker.step(4, 5, 6, 7)
    worker.load(100)
    assert worker.slots == {4, 5, 6, 7}
    worker.step(100, 7)
    assert {100, 7} <= worker.slots
    worker.manager.remove_adapter(7)
    worker.load(101)
    assert 101 in worker.slots


def test_an_end_of_a_pin_and_a_pin_of_what_is_not_loaded(worker: Worker) -> None:
    worker.cni_pin(0)
    worker.cni_unpin(0)
    worker.cni_unpin(0)
    worker.step(4, 5, 6, 7)
    assert worker.slots == {4, 5, 6, 7}
    assert not worker.cni_pin(999) and 999 not in worker.slots


def test_hits_and_misses_of_slots_are_counted(worker: Worker) -> None:
    worker.cni_slots()
    worker.step(4, 5, 6, 7)
    before = worker.cni_slots()
    worker.step(4, 5)
    worker.step(0, 4)
    after = worker.cni_slots()
    assert (after[1] - before[1], after[2] - before[2]) == (3, 1)

"""What becomes of vLLM's errors at a load: its validation speaks against the adapter, all else of the moment."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from vllm.exceptions import LoRAAdapterNotFoundError

from adapters.registry.errors import Refused
from server.vllm.lora_engine import VllmEngine
from server.vllm.slot_worker import SlotControl

NAME = "cni@0123456789ab"


class Client:
    """As vLLM's: the engine's process sends back the text of what its worker raised, and nothing else."""

    def __init__(self, worker: SlotControl, errored: bool = False) -> None:
        self.worker = worker
        self.errored = errored

    async def add_lora(self, request: Any) -> bool:
        try:
            return bool(self.worker.model_runner.lora_manager.add_adapter(request))
        except Exception as error:
            raise Exception(f"Call to add_lora method failed: Worker failed with error '{error}', see above") from error


def worker_that(raises: Exception) -> SlotControl:
    """A worker whose manager fails so; our extension is around it as in the engine."""

    def fail(request: Any) -> bool:
        raise raises

    inner = SimpleNamespace(lora_index_to_id=[None], _active_adapters={}, _registered_adapters={})
    manager = SimpleNamespace(_adapter_manager=inner, add_adapter=fail, _apply_adapters=lambda requests: None)
    worker = SlotControl()
    worker.model_runner = SimpleNamespace(lora_manager=manager)
    worker.cni_slots()
    return worker


def engine(raises: Exception) -> VllmEngine:
    models = SimpleNamespace(lora_id_counter=SimpleNamespace(inc=lambda by: 1), lora_requests={})
    return VllmEngine(Client(worker_that(raises)), models)


@pytest.mark.parametrize(
    "raised",
    [
        ValueError("LoRA rank 64 is greater than max_lora_rank 16."),
        NotImplementedError("vLLM does not yet support DoRA."),
        ValueError("While loading /models/registry/cni/0123456789ab, expected target modules in ['qkv_proj']"),
    ],
)
async def test_what_vllms_validation_says_is_a_refusal(raised: Exception) -> None:
    with pytest.raises(Refused) as refused:
        await engine(raised).load(NAME, Path("/models/registry/cni/0123456789ab"))
    assert refused.value.check == "engine" and not refused.value.transient
    assert "[cni" not in str(refused.value) and "/models" not in str(refused.value)


@pytest.mark.parametrize(
    "raised",
    [
        FileNotFoundError(2, "No such file or directory", "/mnt/registry/x"),
        OSError(116, "Stale file handle"),
        OSError(5, "Input/output error"),
        MemoryError(),
        TimeoutError("RPC call to sample_tokens timed out."),
        RuntimeError("No free adapter slots."),
        LoRAAdapterNotFoundError(NAME, "/mnt/registry/x"),
        RuntimeError("Engine core initialization failed."),
    ],
)
async def test_anything_else_passes(raised: Exception) -> None:
    with pytest.raises(Refused) as refused:
        await engine(raised).load(NAME, Path("/mnt/registry/x"))
    assert refused.value.check == "engine-busy" and refused.value.transient
    assert "/mnt" not in str(refused.value)

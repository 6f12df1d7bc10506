"""vLLM behind the control plane's engine interface: loading, unloading, and asking without HTTP."""

from pathlib import Path
from typing import Any

from vllm import SamplingParams
from vllm.entrypoints.serve.exception_handling.utils import sanitize_message
from vllm.exceptions import VLLMClientError
from vllm.lora.request import LoRARequest
from vllm.utils import random_uuid

from adapters.registry.errors import Refused
from server.control.engine import Answer, Slots
from server.vllm.slot_worker import REFUSED

_LONGEST_REASON = 200
# Log-probabilities asked of a probe's first position.
_TOP = 8


class VllmEngine:
    """Keeps `OpenAIServingModels.lora_requests` in step with what is loaded: vLLM looks names up there."""

    def __init__(self, client: Any, models: Any) -> None:
        self._client = client
        self._models = models

    async def load(self, name: str, folder: Path) -> None:
        """Load the adapter under a fresh id: an id that was used before may be in an older batch. Raises Refused."""
        request = LoRARequest(lora_name=name, lora_int_id=self._models.lora_id_counter.inc(1), lora_path=str(folder))
        try:
            await self._client.add_lora(request)
        except Exception as error:
            text = str(error)
            if REFUSED not in text:
                # A disk, memory, a worker that did not answer, an engine that died: nothing of that is the adapter's.
                raise Refused("engine-busy", "The engine could not load the adapter.") from error
            # vLLM's own text names files of this machine, and its last line is the reason.
            said = text.partition(REFUSED)[2].replace(str(folder), "the adapter")
            reason = sanitize_message(said).strip().splitlines()[-1][:_LONGEST_REASON]
            raise Refused("engine", f"The engine does not load the adapter: {reason}") from error
        self._models.lora_requests[name] = request

    async def unload(self, name: str) -> None:
        """Take the name away first, then the weights."""
        request = self._models.lora_requests.pop(name, None)
        if request is not None:
            await self._client.remove_lora(request.lora_int_id)

    async def pin(self, name: str) -> None:
        """See slot_worker.py."""
        request = self._models.lora_requests.get(name)
        if request is not None:
            await self._client.collective_rpc("cni_pin", args=(request.lora_int_id,))

    async def unpin(self, name: str) -> None:
        """See slot_worker.py."""
        request = self._models.lora_requests.get(name)
        if request is not None:
            await self._client.collective_rpc("cni_unpin", args=(request.lora_int_id,))

    async def slots(self) -> Slots:
        """Of the first worker; all have the same."""
        ids, hits, misses = (await self._client.collective_rpc("cni_slots"))[0]
        requests = self._models.lora_requests.items()
        return Slots(frozenset(name for name, request in requests if request.lora_int_id in ids), hits, misses)

    async def ask(self, name: str | None, prompt: str, max_tokens: int) -> Answer:
        """A greedy answer with the first position's most likely tokens."""
        parameters = SamplingParams(temperature=0.0, max_tokens=max_tokens, logprobs=_TOP)
        lora = self._models.lora_requests[name] if name else None
        final: Any = None
        try:
            async for output in self._client.generate(prompt, parameters, f"probe-{random_uuid()}", lora_request=lora):
                final = output
        except (ValueError, VLLMClientError) as error:
            # Its text may hold the prompt.
            text = "The engine does not take a prompt of the golden set; it may be longer than the model's context."
            raise Refused("golden-prompt", text) from error
        completion = final.outputs[0]
        first = completion.logprobs[0] if completion.logprobs else {}
        return Answer(completion.text, {token: entry.logprob for token, entry in first.items()})

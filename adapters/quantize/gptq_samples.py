"""What a calibrated method sees: rendered prompts and answers of synthetic cards, and each layer's inputs to them."""

import contextlib
import random
from collections.abc import Callable, Iterator
from typing import Any

import torch

from adapters.data.documents import DOCUMENT_NAMES
from adapters.data.samples import text_sample
from adapters.errors import QuantizeError
from adapters.registry.contract import PromptContract
from adapters.training.contract import contract
from adapters.training.dataset import encode, labelled

SOURCE = "prompts and answers of synthetic cards (training split), the four documents in turn"


def sequences(tokenizer: Any, samples: int, seed: int, prompts: PromptContract | None = None) -> list[tuple[int, ...]]:
    """`samples` token sequences; sequence i depends on (seed, i) and on the contract `prompts` (None: ours) alone."""
    prompts = prompts or contract(DOCUMENT_NAMES)
    names = [name for name in DOCUMENT_NAMES if name in prompts.documents]
    drawn = (
        text_sample(random.Random(f"{seed}/calibration/{i}"), names[i % len(names)], "train") for i in range(samples)
    )
    return [encode(labelled(sample), prompts, tokenizer).tokens for sample in drawn]


class _Caught(Exception):
    """Raised at the first layer: its inputs are all that is wanted."""


def first_inputs(model: Any, tokens: list[tuple[int, ...]]) -> list[tuple[torch.Tensor, dict[str, Any]]]:
    """The first decoder layer's hidden states (1, length, width) and keyword arguments, a sequence each."""
    caught: list[tuple[torch.Tensor, dict[str, Any]]] = []

    def catch(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        hidden = args[0] if args else kwargs["hidden_states"]
        caught.append((hidden, {key: value for key, value in kwargs.items() if key != "hidden_states"}))
        raise _Caught

    handle = layers_of(model)[0].register_forward_pre_hook(catch, with_kwargs=True)
    try:
        for sequence in tokens:
            with contextlib.suppress(_Caught):
                model(input_ids=torch.tensor([sequence]), use_cache=False)
    finally:
        handle.remove()
    return caught


def layers_of(model: Any) -> Any:
    """The decoder's layers. Raises QuantizeError for a model that has them elsewhere."""
    layers = getattr(getattr(model, "model", None), "layers", None)
    if layers is None:
        raise QuantizeError(f"{type(model).__name__} has no model.layers to calibrate: use int8 or int4.")
    return layers


def linears(layer: Any) -> Iterator[tuple[str, torch.nn.Linear]]:
    """A layer's linear modules by their names in it; an adapter's own are none of them."""
    for name, module in layer.named_modules():
        if isinstance(module, torch.nn.Linear) and ".lora_" not in name:
            yield name.removesuffix(".base_layer"), module


def second_moments(layer: Any, run: Callable[[], None]) -> dict[str, torch.Tensor]:
    """Per linear module the sum of x xᵀ, (in, in) float32, over what `run` sends through the layer.

    Modules that read the same tensor (q, k, v; gate, up) share one matrix, which is counted once.
    """
    moments: dict[str, torch.Tensor] = {}
    owners: dict[str, str] = {}
    first: list[tuple[torch.Tensor, str]] = []  # the first sequence's inputs, kept so that identity holds

    def hook(name: str) -> Callable[..., None]:
        def see(module: torch.nn.Linear, args: tuple[torch.Tensor, ...]) -> None:
            inputs = args[0]
            if name not in owners:
                owners[name] = next((owner for tensor, owner in first if tensor is inputs), name)
                first.append((inputs, owners[name]))
            if owners[name] != name:
                return
            rows = inputs.reshape(-1, inputs.shape[-1]).float()
            width = module.in_features
            moments.setdefault(name, torch.zeros(width, width)).addmm_(rows.T, rows)

        return see

    handles = [module.register_forward_pre_hook(hook(name)) for name, module in linears(layer)]
    try:
        run()
    finally:
        for handle in handles:
            handle.remove()
    return {name: moments[owner] for name, owner in owners.items()}

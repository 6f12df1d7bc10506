"""A whole model by GPTQ, layer after layer: each layer sees what the rounded layers before it give.

With an adapter, it sees what it will get when that adapter is served: a base calibrated by itself makes up for errors
in directions that an adapter leaves (docs/lab-notes.md).
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from compressed_tensors.quantization import QuantizationScheme

from adapters.errors import QuantizeError
from adapters.quantize.gptq import gptq
from adapters.quantize.gptq_samples import first_inputs, layers_of, linears, second_moments
from adapters.quantize.rounding import Rounded, store
from adapters.quantize.scores import on_base


@torch.no_grad()
def quantize_layers(
    base: Path,
    tokens: list[tuple[int, ...]],
    scheme: QuantizationScheme,
    layout: str,
    step: Callable[[int, int], None],
    adapter: Path | None = None,
) -> dict[str, Rounded]:
    """Every linear module of the decoder's layers by its full name. `step(done, of)` after each layer.

    `adapter`: a revision's folder; its own weights stay as they are. Raises QuantizeError where the cards are too few.
    """
    assert scheme.weights is not None
    model = _model(base, adapter)
    states = first_inputs(model, tokens)
    rounded: dict[str, Rounded] = {}
    layers = layers_of(model)
    for number, layer in enumerate(layers):
        moments = second_moments(layer, partial(_through, layer, states))
        for name, module in linears(layer):
            place = f"model.layers.{number}.{name}"
            try:
                weight, scales = gptq(module.weight.float(), moments[name], scheme.weights)
            except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
                raise QuantizeError(
                    f"gptq failed: the {len(tokens)} calibration cards do not span the inputs of {place}: take more "
                    "with --samples, or use int4; nothing was kept."
                ) from error
            result = store(weight, scales, scheme, layout)
            module.weight.copy_(result.weight)
            rounded[place] = result
        states = [(_output(layer, hidden, kwargs), kwargs) for hidden, kwargs in states]
        step(number + 1, len(layers))
    return rounded


def _model(base: Path, adapter: Path | None) -> Any:
    """The base in bfloat16 on the processor, with the adapter on it where there is one."""
    if adapter is None:
        from transformers import AutoModelForCausalLM

        return AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16).eval()
    return on_base(base, adapter).to("cpu", torch.bfloat16).base_model.model


def _through(layer: Any, states: list[tuple[torch.Tensor, dict[str, Any]]]) -> None:
    for hidden, kwargs in states:
        layer(hidden, **kwargs)


def _output(layer: Any, hidden: torch.Tensor, kwargs: dict[str, Any]) -> torch.Tensor:
    result = layer(hidden, **kwargs)
    output: torch.Tensor = result[0] if isinstance(result, tuple) else result
    return output

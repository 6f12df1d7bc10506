"""OpenVINO in the place of ONNX Runtime under PaddleOCR: the same ONNX files, in bfloat16 where the processor has it.

PaddleX knows OpenVINO only through its high-performance plugin, a package of another index. All that it asks of a
runner is one call, so ours take the places of the loaded ones. docs/decisions/0016 says what they gain and why.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ocr_frontend.ocr.script import Columns, Decode, PostOp, decoded

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]
Best = tuple[list[Floats], list[Integers]]
"""Of every line, [steps] each: the likeliest character's probability and its number."""

LINES = 32
"""Lines that PaddleX hands over together. They are read one by one, so this bounds its padded batch, not ours."""

_WIDTH = 32  # lines are as wide as a multiple of this: OpenVINO prepares itself for every new width


def has_bfloat16() -> bool:
    """Whether OpenVINO is installed and this processor multiplies bfloat16 itself."""
    try:
        import openvino
    except ImportError:
        return False
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class Detector:
    """Detection; called as PaddleX calls its own runners. Not thread-safe, like the reader that it is part of."""

    def __init__(self, onnx: Path, threads: int) -> None:
        """Raises what OpenVINO raises (RuntimeError)."""
        import openvino

        self._request = _compile(openvino.Core().read_model(onnx), threads, streams=1).create_infer_request()

    def __call__(self, x: list[Floats] | Floats) -> list[Floats]:
        """`x`: the one input, (batch, 3, height, width), alone or in a list. Returns the model's outputs."""
        self._request.infer([np.ascontiguousarray(_only(x))])
        return [np.array(tensor.data) for tensor in self._request.output_tensors]

    def close(self) -> None:
        """Nothing to close; PaddleX asks."""


class Recogniser:
    """Recognition: every line alone and as wide as it is, as many at once as there are threads, on one thread each.

    Only the likeliest of the model's characters is of use: it is found where the numbers are, and not in copies of
    tens of megabytes. `kept`: of its columns those that may be read, None: all (ocr/script.py).
    """

    def __init__(self, onnx: Path, threads: int, kept: Columns | None = None) -> None:
        """Raises what OpenVINO raises (RuntimeError)."""
        import openvino

        model = _likeliest(openvino.Core().read_model(onnx), kept)
        self._queue = openvino.AsyncInferQueue(_compile(model, threads, streams=threads), threads)
        self._queue.set_callback(_keep)

    def __call__(self, x: list[Floats] | Floats) -> Best:
        """`x`: (lines, 3, 48, width), padded with zeros on the right, alone or in a list."""
        lines = _only(x)
        widths = [_width(line) for line in lines]
        found: list[tuple[Floats, Integers]] = [(np.zeros(0, np.float32), np.zeros(0, np.int32))] * len(lines)
        for number in sorted(range(len(lines)), key=lambda one: -widths[one]):  # the longest first: all end together
            line = np.ascontiguousarray(lines[None, number, :, :, : widths[number]])
            self._queue.start_async([line], (found, number))
        self._queue.wait_all()
        return [scores for scores, _ in found], [characters for _, characters in found]

    def close(self) -> None:
        """Nothing to close; PaddleX asks."""


def use_openvino(detection: Any, recognition: Any, threads: int, kept: Columns | None = None) -> None:
    """Run both PaddleX models, loaded by ONNX Runtime, with OpenVINO. Raises what OpenVINO raises."""
    detection.runner = Detector(Path(detection.runner.model_dir) / "inference.onnx", threads)
    recognition.runner = Recogniser(Path(recognition.runner.model_dir) / "inference.onnx", threads, kept)
    recognition.post_op = _decoder(recognition.post_op.decode)


def _compile(model: Any, threads: int, streams: int) -> Any:
    import openvino

    options = {
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "bf16" if has_bfloat16() else "f32",
        # Readers and the model server share the cores; threads nailed to the same ones would wait in line.
        "ENABLE_CPU_PINNING": False,
        "ENABLE_HYPER_THREADING": True,
        # What OpenVINO keeps for shapes that it has seen. Pictures have any shape: with its 5,000 the front grows by
        # a megabyte a card; with 50 it does not, and is as fast.
        "CPU_RUNTIME_CACHE_CAPACITY": "50",
    }
    return openvino.Core().compile_model(model, "CPU", options)


def _likeliest(model: Any, kept: Columns | None = None) -> Any:
    """The model [lines, 3, 48, width] -> [lines, steps, characters] with its likeliest character as its outputs."""
    import openvino
    from openvino import opset8

    probabilities = model.get_results()[0].input_value(0)
    if kept is not None:
        probabilities = _of(probabilities, kept)
    best = opset8.topk(probabilities, np.int64(1), axis=2, mode="max", sort="none")
    number = best.output(1)
    if kept is not None:
        number = opset8.gather(opset8.constant(kept.astype(np.int32)), number, np.int64(0)).output(0)
    return openvino.Model([best.output(0), number], model.get_parameters())


def _of(probabilities: Any, kept: Columns) -> Any:
    """The probabilities among these columns alone, and only these are computed where the last layer is a product."""
    from openvino import opset8

    softmax = probabilities.get_node()
    if softmax.get_type_name() != "Softmax":
        return opset8.gather(probabilities, kept, np.int64(2)).output(0)
    total = _past_identities(softmax)
    product = _past_identities(total) if total.get_type_name() == "Add" else total
    if total is product or product.get_type_name() != "MatMul":
        scores = opset8.gather(softmax.input_value(0), kept, np.int64(2))
    else:
        weights = opset8.gather(product.input_value(1), kept, np.int64(1))
        bias = opset8.gather(total.input_value(1), kept, np.int64(0))
        scores = opset8.add(opset8.matmul(product.input_value(0), weights, False, False), bias)
    return opset8.softmax(scores, 2).output(0)


def _past_identities(node: Any) -> Any:
    """What makes a node's first input."""
    node = node.input_value(0).get_node()
    while node.get_type_name() == "Identity":
        node = node.input_value(0).get_node()
    return node


def _keep(request: Any, place: tuple[list[tuple[Floats, Integers]], int]) -> None:
    found, number = place
    scores, characters = (np.array(tensor.data).reshape(-1) for tensor in request.output_tensors)
    found[number] = scores, characters


def _width(line: Floats) -> int:
    """Columns up to the padding: no pixel of a picture is normalized to exactly zero."""
    filled = np.flatnonzero(line.any(axis=(0, 1)))
    used = int(filled[-1]) + 1 if filled.size else 1
    return min(int(line.shape[2]), -(-used // _WIDTH) * _WIDTH)


def _only(x: list[Floats] | Floats) -> Floats:
    [array] = x if isinstance(x, list) else [x]
    return array


def _decoder(decode: Decode) -> PostOp:
    """PaddleX's `CTCLabelDecode` without its search for the likeliest characters."""

    def post_op(best: Best, **_: Any) -> tuple[list[str], list[float]]:
        scores, characters = best
        return decoded(decode, characters, scores)

    return post_op

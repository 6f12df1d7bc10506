"""OpenVINO in the place of ONNX Runtime under PaddleOCR: the same ONNX files, in bfloat16 where the processor has it.

PaddleX knows OpenVINO only through its high-performance plugin, a package of another index. All that it asks of a
runner is one call, so ours take the places of the loaded ones. docs/decisions/0016 says what they gain and why.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ocr_frontend.ocr.gaps import used_columns
from ocr_frontend.ocr.openvino_graph import likeliest
from ocr_frontend.ocr.script import Columns, Decode, PostOp, decoded
from ocr_frontend.ocr.unwritten import Unwritten

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]
Best = tuple[list[Floats], list[Integers], list[Floats], list[Floats]]
"""Of every line: its likeliest characters' probabilities and numbers, [steps]; the watched ones' [steps, columns]; and
what was read, (3, 48, width)."""

_Line = tuple[Floats, Integers, Floats]

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
    tens of megabytes. `watched`: columns whose probabilities are wanted of every step (ocr/unwritten.py). `kept`: of
    its columns those that may be read, the watched ones too, None: all (ocr/script.py).
    """

    def __init__(self, onnx: Path, threads: int, watched: Columns, kept: Columns | None = None) -> None:
        """Raises what OpenVINO raises (RuntimeError)."""
        import openvino

        model = likeliest(openvino.Core().read_model(onnx), watched, kept)
        self._queue = openvino.AsyncInferQueue(_compile(model, threads, streams=threads), threads)
        self._queue.set_callback(_keep)

    def __call__(self, x: list[Floats] | Floats) -> Best:
        """`x`: (lines, 3, 48, width), padded with zeros on the right, alone or in a list."""
        lines = _only(x)
        widths = [_width(line) for line in lines]
        found: list[_Line | None] = [None] * len(lines)
        for number in sorted(range(len(lines)), key=lambda one: -widths[one]):  # the longest first: all end together
            line = np.ascontiguousarray(lines[None, number, :, :, : widths[number]])
            self._queue.start_async([line], (found, number))
        self._queue.wait_all()
        done = [line for line in found if line is not None]
        pictures = [line[:, :, :width] for line, width in zip(lines, widths, strict=True)]
        return [line[0] for line in done], [line[1] for line in done], [line[2] for line in done], pictures

    def close(self) -> None:
        """Nothing to close; PaddleX asks."""


def use_openvino(
    detection: Any, recognition: Any, threads: int, unwritten: Unwritten, kept: Columns | None = None
) -> None:
    """Run both PaddleX models, loaded by ONNX Runtime, with OpenVINO. Raises what OpenVINO raises."""
    detection.runner = Detector(Path(detection.runner.model_dir) / "inference.onnx", threads)
    onnx = Path(recognition.runner.model_dir) / "inference.onnx"
    recognition.runner = Recogniser(onnx, threads, unwritten.columns, kept)
    recognition.post_op = _decoder(recognition.post_op.decode, unwritten)


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


def _keep(request: Any, place: tuple[list[_Line | None], int]) -> None:
    found, number = place
    scores, characters, seen = (np.array(tensor.data[0]) for tensor in request.output_tensors)
    found[number] = scores.reshape(-1), characters.reshape(-1), seen


def _width(line: Floats) -> int:
    """Columns that are read: up to the padding, and to a multiple of `_WIDTH`."""
    return min(int(line.shape[2]), -(-used_columns(line) // _WIDTH) * _WIDTH)


def _only(x: list[Floats] | Floats) -> Floats:
    [array] = x if isinstance(x, list) else [x]
    return array


def _decoder(decode: Decode, unwritten: Unwritten) -> PostOp:
    """PaddleX's `CTCLabelDecode` without its search for the likeliest characters, and with what else was seen."""

    def post_op(best: Best, **_: Any) -> tuple[list[str], list[float]]:
        scores, characters, watched, seen = best
        return decoded(decode, unwritten, characters, scores, watched, seen)

    return post_op

"""OpenVINO in the place of ONNX Runtime under PaddleOCR: the same ONNX files, in bfloat16 where the processor has it.

PaddleX knows OpenVINO only through its high-performance plugin, a package of another index. All that it asks of a
runner is one call, so ours take the places of the loaded ones. docs/decisions/0016 says what they gain and why.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ocr_frontend.ocr.gaps import used_columns
from ocr_frontend.ocr.openvino_graph import likeliest
from ocr_frontend.ocr.script import Columns, Decode, PostOp, Score, decoded
from ocr_frontend.ocr.unwritten import Unwritten

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]
Best = tuple[list[Floats], list[Integers], list[Floats], list[Floats]]
"""Of every line: its likeliest characters' probabilities and numbers, [steps]; the watched ones' [steps, columns]; and
what was read, (3, 48, width)."""

_Line = tuple[Floats, Integers, Floats]

LINES = 32
"""Lines that PaddleX hands over together. They are read one by one, so this bounds its padded batch, not ours."""

# Lines are as wide as a multiple of a step, the longer the coarser (up to a width in pixels, step): OpenVINO prepares
# itself for every width, which takes a third as long as reading a line, and keeps what it prepared.
_STEPS = ((512, 32), (1024, 64), (math.inf, 128))
# Pictures' sides are multiples of this for detection, so that those of a service have few shapes.
_SIDE = 64
# Primitives that are kept; a shape has about a hundred. There are 41 widths up to PaddleX's 3,200 pixels: all stay. Of
# pictures some ten shapes do, at 13 MB each: with OpenVINO's 5,000 the front grew by a megabyte a card.
_KEPT_OF_LINES, _KEPT_OF_PICTURES = 5000, 1100
_USUAL = 1024  # pixels of width, up to which lines of cards mostly are


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

        self._request = _compile(openvino.Core().read_model(onnx), threads, 1, _KEPT_OF_PICTURES).create_infer_request()

    def __call__(self, x: list[Floats] | Floats) -> list[Floats]:
        """`x`: the one input, (batch, 3, height, width), alone or in a list. Returns the model's outputs, maps of the
        same height and width."""
        picture = _only(x)
        height, width = picture.shape[2:]
        below, behind = -height % _SIDE, -width % _SIDE
        whole = np.pad(picture, ((0, 0), (0, 0), (0, below), (0, behind)), mode="edge")
        self._request.infer([np.ascontiguousarray(whole)], share_inputs=True)
        return [np.array(tensor.data[..., :height, :width]) for tensor in self._request.output_tensors]

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
        self._queue = openvino.AsyncInferQueue(_compile(model, threads, threads, _KEPT_OF_LINES), threads)
        self._prepare(threads)
        self._queue.set_callback(_keep)

    def _prepare(self, threads: int) -> None:
        """The usual widths, by every thread for itself: half a second now, in the place of some of each first card."""
        width = 0
        while (width := _fitting(width + 1)) <= _USUAL:
            for _ in range(threads):
                self._queue.start_async([np.zeros((1, 3, 48, width), np.float32)])
            self._queue.wait_all()

    def __call__(self, x: list[Floats] | Floats) -> Best:
        """`x`: (lines, 3, 48, width), padded with zeros on the right, alone or in a list."""
        pictures = [_fitted(line) for line in _only(x)]
        found: list[_Line | None] = [None] * len(pictures)
        longest_first = sorted(range(len(pictures)), key=lambda one: -pictures[one].shape[2])  # all end together
        for number in longest_first:
            self._queue.start_async([pictures[number][None]], (found, number), share_inputs=True)
        self._queue.wait_all()
        done = [line for line in found if line is not None]
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


def _compile(model: Any, threads: int, streams: int, kept: int) -> Any:
    import openvino

    options = {
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "bf16" if has_bfloat16() else "f32",
        # Readers and the model server share the cores; threads nailed to the same ones would wait in line.
        "ENABLE_CPU_PINNING": False,
        "ENABLE_HYPER_THREADING": True,
        "CPU_RUNTIME_CACHE_CAPACITY": str(kept),
    }
    return openvino.Core().compile_model(model, "CPU", options)


def _keep(request: Any, place: tuple[list[_Line | None], int]) -> None:
    found, number = place
    scores, characters, seen = (np.array(tensor.data[0]) for tensor in request.output_tensors)
    found[number] = scores.reshape(-1), characters.reshape(-1), seen


def _fitted(line: Floats) -> Floats:
    """The columns that are read, (3, 48, width): up to the padding, and with zeros to a multiple of the step."""
    width = _fitting(used_columns(line))
    fitted = np.zeros((*line.shape[:2], width), np.float32)
    read = line[..., :width]
    fitted[..., : read.shape[2]] = read
    return fitted


def _fitting(width: int) -> int:
    step = next(step for most, step in _STEPS if width <= most)
    return -(-width // step) * step


def _only(x: list[Floats] | Floats) -> Floats:
    [array] = x if isinstance(x, list) else [x]
    return array


def _decoder(decode: Decode, unwritten: Unwritten) -> PostOp:
    """PaddleX's `CTCLabelDecode` without its search for the likeliest characters, and with what else was seen."""

    def post_op(best: Best, **_: Any) -> tuple[list[str], list[Score]]:
        scores, characters, watched, seen = best
        return decoded(decode, unwritten, characters, scores, watched, seen)

    return post_op

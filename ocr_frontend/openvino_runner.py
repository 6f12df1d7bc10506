"""OpenVINO in the place of ONNX Runtime under PaddleOCR: the same ONNX files, in bfloat16 where the processor has it.

PaddleX knows OpenVINO only through its high-performance plugin, a package of another index. All that it asks of a
runner is one call, so ours takes the place of the loaded one. Where the processor multiplies bfloat16 itself
(AVX-512 BF16, AMX) a card is read 1.6 times faster (docs/lab-notes.md); elsewhere OpenVINO computes in float32, about
as fast as ONNX Runtime.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def has_bfloat16() -> bool:
    """Whether OpenVINO is installed and this processor multiplies bfloat16 itself."""
    try:
        import openvino
    except ImportError:
        return False
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class OpenVinoRunner:
    """One ONNX file; called as PaddleX calls its own runners. Not thread-safe, like the reader that it is part of."""

    def __init__(self, onnx: Path, threads: int) -> None:
        """Compile the file for `threads` threads. Raises what OpenVINO raises (RuntimeError)."""
        import openvino

        core = openvino.Core()
        compiled = core.compile_model(
            core.read_model(onnx),
            "CPU",
            {
                "PERFORMANCE_HINT": "LATENCY",
                "NUM_STREAMS": 1,
                "INFERENCE_NUM_THREADS": threads,
                "INFERENCE_PRECISION_HINT": "bf16" if has_bfloat16() else "f32",
                # Readers and the model server share the cores; threads nailed to the same ones would wait in line.
                "ENABLE_CPU_PINNING": False,
                "ENABLE_HYPER_THREADING": True,
            },
        )
        self._request = compiled.create_infer_request()

    def __call__(self, x: list[Floats] | Floats) -> list[Floats]:
        """`x`: the one input, (batch, 3, height, width), alone or in a list. Returns every output of the model."""
        [image] = x if isinstance(x, list) else [x]
        self._request.infer([np.ascontiguousarray(image)])
        return [np.array(tensor.data) for tensor in self._request.output_tensors]

    def close(self) -> None:
        """Nothing to close; PaddleX asks."""


def use_openvino(ocr: Any, threads: int) -> None:
    """Run both models of a PaddleOCR object, loaded by ONNX Runtime, with OpenVINO. Raises what OpenVINO raises."""
    pipeline = ocr.paddlex_pipeline
    pipeline = getattr(pipeline, "_pipeline", pipeline)  # the one that runs on the one device
    for model in (pipeline.text_det_model, pipeline.text_rec_model):
        folder = Path(model.runner.model_dir)
        model.runner = OpenVinoRunner(folder / "inference.onnx", threads)

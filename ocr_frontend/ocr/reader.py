"""What OCR gives, and PaddleOCR behind it: one reader, one image at a time. The pool of them is in `pool`."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ocr_frontend.errors import OcrUnavailable
from ocr_frontend.ocr.cancellation import make_stoppable
from ocr_frontend.ocr.case import evened
from ocr_frontend.ocr.images import Pixels
from ocr_frontend.ocr.onnx_models import ModelFolders, prepare_models
from ocr_frontend.ocr.openvino_runner import LINES, has_bfloat16, use_openvino
from ocr_frontend.ocr.script import Score, Script, columns, decoder
from ocr_frontend.ocr.textline import Box, TextLine
from ocr_frontend.ocr.unwritten import Unwritten

# Mean probability of a box, from which on it is text. PaddleOCR's own 0.6 leaves out single letters: 8 % of the F for
# female on cards laid out anew.
_LEAST_LIKELY = 0.45

__all__ = ["Box", "OcrOptions", "PaddleReader", "Reader", "TextLine"]


@dataclass(frozen=True, slots=True)
class OcrOptions:
    """How to read.

    engine: `openvino` or `onnxruntime` (the models of the rapidocr wheel), or `paddle` (official models, by name or
    folder); `auto` is openvino where the processor multiplies bfloat16 itself, onnxruntime elsewhere.
    det_side: longest side in pixels that the detection works at; recognition always sees full resolution.
    rec_width: least width in pixels that a line is padded to for recognition, at 48 pixels of height (ONNX models).
    rec_batch: lines recognised together; the reader sorts them by width. OpenVINO reads each alone, as wide as it is.
    script: whose characters are read, `latin` or `any` of the model's.
    threads: of one reader. cache: where the ONNX model folders are written.
    """

    cache: Path
    engine: str = "auto"
    detection: str | None = None
    recognition: str | None = None
    det_side: int = 960
    rec_width: int = 320
    rec_batch: int = 6
    script: Script = "latin"
    threads: int = 2


class Reader(Protocol):
    """Reads one image; not thread-safe, so one reader a thread."""

    def read(self, image: Pixels) -> list[TextLine]:
        """Segments of an (height, width, 3) RGB image in reading order, empty where nothing was found."""


class PaddleReader:
    """PaddleOCR: detection and recognition, no orientation or unwarping models, no network.

    Raises OcrUnavailable when it cannot be loaded.
    """

    def __init__(self, options: OcrOptions) -> None:
        # PaddleX reads these while it is imported. It would otherwise ask hubs which of them answers.
        os.environ["PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK"] = "True"
        os.environ.setdefault("PADDLE_PDX_CACHE_HOME", str(options.cache / "paddlex"))
        try:
            from paddleocr import PaddleOCR
        except ImportError as error:
            raise OcrUnavailable(f"PaddleOCR cannot be imported: the module {error.name} is missing") from error

        logging.getLogger("paddlex").setLevel(logging.ERROR)
        openvino = _with_openvino(options)
        try:
            self._ocr = PaddleOCR(
                **_models(options),
                use_doc_orientation_classify=False,
                use_doc_unwarping=False,
                use_textline_orientation=False,
                text_det_limit_side_len=options.det_side,
                text_det_limit_type="max",
                text_det_box_thresh=_LEAST_LIKELY,
                text_recognition_batch_size=LINES if openvino else options.rec_batch,
                device="cpu",
            )
            pipeline = self._ocr.paddlex_pipeline
            pipeline = getattr(pipeline, "_pipeline", pipeline)  # the one that runs on the one device
            models = pipeline.text_det_model, pipeline.text_rec_model
            post_op = pipeline.text_rec_model.post_op
            kept, unwritten = columns(post_op.character, options.script), Unwritten(post_op.character)
            if openvino:
                use_openvino(*models, options.threads, unwritten, kept)
            else:
                pipeline.text_rec_model.post_op = decoder(post_op.decode, unwritten, kept)
            make_stoppable(*models)
        except OcrUnavailable:
            raise
        except Exception as error:  # PaddleX raises whatever it meets
            raise OcrUnavailable(f"PaddleOCR cannot load its models ({type(error).__name__})") from error

    def read(self, image: Pixels) -> list[TextLine]:
        """See Reader.read. The picture is read as it is: `look` turns it."""
        [page] = self._ocr.predict(image[:, :, ::-1].copy())  # PaddleOCR takes OpenCV's BGR
        return [
            TextLine(evened(str(text)), round(float(score), 4), _box(polygon), letter=_least_sure(score))
            for text, score, polygon in zip(page["rec_texts"], page["rec_scores"], page["rec_polys"], strict=True)
        ]


def _least_sure(score: float) -> float | None:
    return round(score.least_sure, 4) if isinstance(score, Score) else None


def _models(options: OcrOptions) -> dict[str, Any]:
    if options.engine != "paddle":
        folders = prepare_models(options.cache, options.rec_width) if options.detection is None else None
        return {"engine": "onnxruntime", "engine_config": {"intra_op_num_threads": options.threads}} | (
            _wheel(folders) if folders else _official(options)
        )
    return {"engine": "paddle", "cpu_threads": options.threads} | _official(options)


def _with_openvino(options: OcrOptions) -> bool:
    """Official models may be of any format, so they stay with the runtime that PaddleX loaded them into."""
    if options.engine == "auto":
        return options.detection is None and has_bfloat16()
    return options.engine == "openvino"


def _wheel(folders: ModelFolders) -> dict[str, str]:
    return {
        "text_detection_model_name": folders.detection_name,
        "text_detection_model_dir": str(folders.detection),
        "text_recognition_model_name": folders.recognition_name,
        "text_recognition_model_dir": str(folders.recognition),
    }


def _official(options: OcrOptions) -> dict[str, str]:
    """A folder where there is one (its name is the model's), else the name of an official model."""
    arguments = {}
    for role, given in (("detection", options.detection), ("recognition", options.recognition)):
        if given is None:
            continue
        arguments[f"text_{role}_model_name"] = Path(given).name
        if Path(given).is_dir():
            arguments[f"text_{role}_model_dir"] = given
    return arguments


def _box(polygon: Any) -> Box:
    a, b, c, d = ((int(x), int(y)) for x, y in polygon)
    return a, b, c, d

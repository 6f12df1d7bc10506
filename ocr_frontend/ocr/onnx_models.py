"""PP-OCRv6 small (detection, recognition) out of the `rapidocr` wheel, as the model folders that PaddleOCR loads.

The wheel is taken as data: its two ONNX files are copied into a cache folder beside an `inference.yml` in PaddleX's
form. `rapidocr` itself is never imported. The pre- and post-processing values are those of the official models.
"""

import hashlib
import importlib.metadata
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ocr_frontend.errors import OcrUnavailable

DETECTION, RECOGNITION = "PP-OCRv6_small_det", "PP-OCRv6_small_rec"
_WHEEL_FILES = {DETECTION: "PP-OCRv6_det_small.onnx", RECOGNITION: "PP-OCRv6_rec_small.onnx"}
_LAYOUT = 1  # part of the cache key: raise it when the yml below changes


@dataclass(frozen=True)
class ModelFolders:
    """Folders holding `inference.onnx` and `inference.yml`, and the PaddleX names of what is in them."""

    detection: Path
    recognition: Path
    detection_name: str = DETECTION
    recognition_name: str = RECOGNITION


def cache_root() -> Path:
    """`$XDG_CACHE_HOME/cni-lora-server`, by default below `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "cni-lora-server"


def prepare_models(cache: Path, rec_width: int = 320) -> ModelFolders:
    """The two model folders below `cache`, written once; a second call finds them. `rec_width`: see OcrOptions.

    Raises OcrUnavailable when the wheel is not installed or the folder cannot be written.
    """
    try:
        wheel = importlib.metadata.distribution("rapidocr")
    except importlib.metadata.PackageNotFoundError as error:
        raise OcrUnavailable("the package rapidocr, which holds the OCR models, is not installed") from error
    root = cache / "ocr" / f"rapidocr-{wheel.version}-{_LAYOUT}-{rec_width}"
    for name, file in _WHEEL_FILES.items():
        source = Path(str(wheel.locate_file(f"rapidocr/models/{file}")))
        if not source.is_file():
            raise OcrUnavailable(f"rapidocr {wheel.version} does not hold {file}; version 3.10.0 does")
        try:
            _write_folder(root / name, name, source, rec_width)
        except OSError as error:
            raise OcrUnavailable(f"cannot write the OCR models below {root}: {error.strerror}") from error
    return ModelFolders(root / DETECTION, root / RECOGNITION)


def _write_folder(folder: Path, name: str, source: Path, rec_width: int) -> None:
    """Build the folder beside its place and rename it there: nobody ever sees half a model."""
    if folder.is_dir() and (folder / "inference.onnx").stat().st_size == source.stat().st_size:
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder.parent))
    try:
        shutil.copyfile(source, work / "inference.onnx")
        config = _detection_config() if name == DETECTION else _recognition_config(source, rec_width)
        (work / "inference.yml").write_text(yaml.safe_dump(config, allow_unicode=True, sort_keys=False), "utf-8")
        work.chmod(0o755)
        _put_in_place(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _put_in_place(work: Path, folder: Path) -> None:
    """Rename; a process that was faster with the same content is as good, a damaged older folder goes away."""
    try:
        work.rename(folder)
    except OSError:
        done = folder / "inference.onnx"
        if done.is_file() and done.stat().st_size == (work / "inference.onnx").stat().st_size:
            return
        old = folder.with_name(f".{folder.name}-old-{hashlib.sha256(os.urandom(8)).hexdigest()[:8]}")
        folder.rename(old)
        work.rename(folder)
        shutil.rmtree(old, ignore_errors=True)


def _detection_config() -> dict[str, Any]:
    return {
        "Global": {"model_name": DETECTION},
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
                {"DetResizeForTest": {"resize_long": 960}},
                {
                    "NormalizeImage": {
                        "mean": [0.485, 0.456, 0.406],
                        "order": "hwc",
                        "scale": 1 / 255,
                        "std": [0.229, 0.224, 0.225],
                    }
                },
                {"ToCHWImage": None},
            ]
        },
        "PostProcess": {
            "name": "DBPostProcess",
            "thresh": 0.3,
            "box_thresh": 0.6,
            "max_candidates": 1000,
            "unclip_ratio": 1.5,
        },
    }


def _recognition_config(onnx: Path, rec_width: int) -> dict[str, Any]:
    return {
        "Global": {"model_name": RECOGNITION},
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
                {"RecResizeImg": {"image_shape": [3, 48, rec_width]}},
            ]
        },
        "PostProcess": {"name": "CTCLabelDecode", "character_dict": characters(onnx)},
    }


def characters(onnx: Path) -> list[str]:
    """The characters that the model knows, in the order of its output columns (without CTC's blank and the space)."""
    import onnxruntime

    metadata = onnxruntime.InferenceSession(str(onnx), providers=["CPUExecutionProvider"]).get_modelmeta()
    # Not splitlines(): some of the characters are line separators for Unicode.
    return str(metadata.custom_metadata_map["character"]).split("\n")

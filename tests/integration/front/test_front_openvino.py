"""OpenVINO under the real PaddleOCR: it reads what ONNX Runtime reads, and the setting says which of them runs."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ocr_frontend import ocr as front_ocr
from ocr_frontend.images import decode
from ocr_frontend.ocr import OcrOptions, PaddleReader
from ocr_frontend.onnx_models import cache_root, prepare_models
from ocr_frontend.openvino_runner import OpenVinoRunner
from ocr_frontend.textline import TextLine

SAMPLE = Path(__file__).parents[3] / "docs/sample-2018-recto.jpg"


@cache
def reader(engine: str) -> PaddleReader:
    return PaddleReader(OcrOptions(cache=cache_root(), engine=engine, threads=1))


@cache
def lines(engine: str) -> list[TextLine]:
    return reader(engine).read(decode(SAMPLE.read_bytes(), 50_000_000))


def runs_openvino(engine: str) -> bool:
    pipeline = reader(engine)._ocr.paddlex_pipeline
    model = getattr(pipeline, "_pipeline", pipeline).text_rec_model
    return isinstance(model.runner._runner, OpenVinoRunner)


@pytest.mark.e2e
def test_both_engines_read_the_same_words_at_the_same_places() -> None:
    fast, plain = lines("openvino"), lines("onnxruntime")
    assert [line.text for line in fast] == [line.text for line in plain]
    for one, other in zip(fast, plain, strict=True):
        assert np.abs(np.subtract(one.box, other.box)).max() <= 3
        assert abs(one.confidence - other.confidence) < 0.05


@pytest.mark.e2e
def test_the_setting_says_which_runs() -> None:
    assert runs_openvino("openvino")
    assert not runs_openvino("onnxruntime")


@pytest.mark.e2e
def test_a_model_gives_close_values_for_any_shape() -> None:
    import onnxruntime

    onnx = prepare_models(cache_root()).recognition / "inference.onnx"
    plain = onnxruntime.InferenceSession(str(onnx), providers=["CPUExecutionProvider"])
    fast = OpenVinoRunner(onnx, threads=2)
    draws = np.random.default_rng(0)
    for batch, width in ((1, 48), (3, 320), (2, 1000), (3, 320)):
        image = draws.uniform(-1, 1, (batch, 3, 48, width)).astype(np.float32)
        [expected] = plain.run(None, {plain.get_inputs()[0].name: image})
        [found] = fast([image])
        assert found.shape == expected.shape
        assert np.abs(found - expected).mean() < 1e-4  # of probabilities over thousands of characters
    assert fast.close() is None


@pytest.mark.parametrize(
    ("engine", "detection", "bfloat16", "expected"),
    [
        ("auto", None, True, True),
        ("auto", None, False, False),
        ("auto", "PP-OCRv5_mobile_det", True, False),
        ("openvino", None, False, True),
        ("onnxruntime", None, True, False),
        ("paddle", None, True, False),
    ],
)
def test_auto_takes_what_is_faster(
    engine: str, detection: str | None, bfloat16: bool, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(front_ocr, "has_bfloat16", lambda: bfloat16)
    options = OcrOptions(cache=cache_root(), engine=engine, detection=detection, recognition=detection)
    assert front_ocr._with_openvino(options) is expected

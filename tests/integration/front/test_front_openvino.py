"""OpenVINO under the real PaddleOCR: it reads what ONNX Runtime reads, and the setting says which of them runs."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ocr_frontend.ocr import reader as front_ocr
from ocr_frontend.ocr.images import Limits, decode
from ocr_frontend.ocr.onnx_models import cache_root, prepare_models
from ocr_frontend.ocr.openvino_runner import Detector, Floats, Recogniser
from ocr_frontend.ocr.reader import OcrOptions, PaddleReader
from ocr_frontend.ocr.textline import TextLine

SAMPLE = Path(__file__).parents[3] / "docs/sample-2018-recto.jpg"


@cache
def reader(engine: str) -> PaddleReader:
    return PaddleReader(OcrOptions(cache=cache_root(), engine=engine, threads=1))


@cache
def lines(engine: str) -> list[TextLine]:
    return reader(engine).read(decode(SAMPLE.read_bytes(), Limits(50_000_000)).pixels)


def _onnx(path: Path) -> Callable[[Floats], Floats]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {session.get_inputs()[0].name: x})[0]


def runs_openvino(engine: str) -> bool:
    pipeline = reader(engine)._ocr.paddlex_pipeline
    model = getattr(pipeline, "_pipeline", pipeline).text_rec_model
    return isinstance(model.runner._runner, Recogniser)


@pytest.mark.e2e
def test_both_engines_read_the_same_words_at_the_same_places() -> None:
    fast, plain = lines("openvino"), lines("onnxruntime")
    assert [line.text for line in fast] == [line.text for line in plain]
    for one, other in zip(fast, plain, strict=True):
        assert np.abs(np.subtract(one.box, other.box)).max() <= 3
        assert abs(one.confidence - other.confidence) < 0.1


@pytest.mark.e2e
def test_the_setting_says_which_runs() -> None:
    assert runs_openvino("openvino")
    assert not runs_openvino("onnxruntime")


@pytest.mark.e2e
@pytest.mark.parametrize("threads", [1, 2])
def test_lines_of_any_width_get_the_likeliest_characters(threads: int) -> None:
    onnx = prepare_models(cache_root()).recognition / "inference.onnx"
    plain, fast, watched = _onnx(onnx), Recogniser(onnx, threads, np.array([5, 99])), [5, 99]
    draws = np.random.default_rng(0)
    for batch, width in ((1, 48), (3, 320), (40, 64), (2, 1000)):
        lines = draws.uniform(-1, 1, (batch, 3, 48, width)).astype(np.float32)
        for line, score, character, seen, picture in zip(lines, *fast([lines]), strict=True):
            assert np.array_equal(picture[:, :, :width], line) and not picture[:, :, width:].any()
            expected = plain(picture[None])[0]
            assert character.shape == score.shape == expected.shape[:1]
            sure = expected.max(axis=1) > 0.6  # noise: where nothing is likely, bfloat16 may choose another
            assert (character == expected.argmax(axis=1))[sure].all()
            assert np.abs(score - expected.max(axis=1))[sure].max(initial=0) < 0.2
            assert np.abs(seen - expected[:, watched])[sure].max(initial=0) < 0.2
    assert fast.close() is None


@pytest.mark.e2e
def test_only_the_columns_that_may_be_read_compete() -> None:
    onnx = prepare_models(cache_root()).recognition / "inference.onnx"
    kept = np.array([0, *range(3, 9000, 7)])
    line = np.random.default_rng(2).uniform(-1, 1, (1, 3, 48, 320)).astype(np.float32)
    [scores], [characters], [seen], _ = Recogniser(onnx, 1, kept[[4, 7]], kept)(line)
    expected = _onnx(onnx)(line)[0][:, kept]
    expected /= expected.sum(axis=1, keepdims=True)
    sure = expected.max(axis=1) > 0.6
    assert sure.any() and set(characters) <= set(kept)
    assert (characters == kept[expected.argmax(axis=1)])[sure].all()
    assert np.abs(scores - expected.max(axis=1))[sure].max() < 0.2
    assert np.abs(seen - expected[:, [4, 7]])[sure].max() < 0.2


@pytest.mark.e2e
def test_padding_on_the_right_is_not_read() -> None:
    recogniser = Recogniser(prepare_models(cache_root()).recognition / "inference.onnx", 1, np.array([5]))
    line = np.random.default_rng(1).uniform(-1, 1, (1, 3, 48, 64)).astype(np.float32)
    wide = np.concatenate([line, np.zeros((1, 3, 48, 700), np.float32)], axis=3)
    [alone], [padded] = recogniser(line)[1], recogniser([wide])[1]
    assert np.array_equal(alone, padded)
    assert [len(one) for one in recogniser(np.zeros((2, 3, 48, 320), np.float32))[1]] == [4, 4]


@pytest.mark.e2e
def test_detection_gives_close_values() -> None:
    onnx = prepare_models(cache_root()).detection / "inference.onnx"
    image = np.random.default_rng(0).uniform(-1, 1, (1, 3, 320, 480)).astype(np.float32)
    [found], expected = Detector(onnx, 1)(image), _onnx(onnx)(image)
    assert found.shape == expected.shape and np.abs(found - expected).mean() < 0.01


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

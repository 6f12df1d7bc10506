"""Settings, the command line, and what this package may import."""

import ast
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from pydantic import ValidationError

import ocr_frontend
from adapters import cgroup
from ocr_frontend.cli.main import main
from ocr_frontend.settings import SettingsError, load_settings

PACKAGE = Path(ocr_frontend.__file__).parent


def test_the_environment_and_what_wins_over_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCR_FRONT_PORT", "8181")
    monkeypatch.setenv("OCR_FRONT_KEYS", "first-key, second-key,")
    settings = load_settings(host="0.0.0.0", server_url=None)
    assert (settings.port, settings.host, settings.server_url) == (8181, "0.0.0.0", "http://127.0.0.1:8000")
    assert [key.get_secret_value() for key in settings.keys] == ["first-key", "second-key"]
    assert "first-key" not in repr(settings)
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PORT", "99999", "OCR_FRONT_PORT"),
        ("PORT", "http", "OCR_FRONT_PORT"),
        ("SERVER_URL", "ftp://x", "OCR_FRONT_SERVER_URL"),
        ("OCR_ENGINE", "tesseract", "OCR_FRONT_OCR_ENGINE"),
        ("MAX_PIXELS", "1", "OCR_FRONT_MAX_PIXELS"),
        ("LLM_SECONDS", "0", "OCR_FRONT_LLM_SECONDS"),
        ("HOST", "0.0.0.0", "OCR_FRONT_KEYS"),
        ("HOST", "example.org", "OCR_FRONT_KEYS"),
        ("OCR_DETECTION", "PP-OCRv5_mobile_det", "OCR_FRONT_OCR_RECOGNITION"),
    ],
)
def test_a_bad_value_stops_the_start_with_one_line(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"OCR_FRONT_{name}", value)
    with pytest.raises(SettingsError, match=says):
        load_settings()
    assert main(["serve"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("ocr_frontend: ") and error.count("\n") == 1 and says in error


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_needs_no_key(host: str) -> None:
    assert load_settings(host=host).keys == ()


def _with_quota(folder: Path) -> Callable[[], int]:
    """Two cores' worth of time, as a container's `cpu.max` says it."""
    (folder / "own").write_text("0::/\n")
    (folder / "cpu.max").write_text("200000 100000\n")
    return partial(cgroup.usable_cores, folder, folder / "own")


def test_readers_and_threads_follow_a_containers_quota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCR_FRONT_OCR_WORKERS", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(16)))
    monkeypatch.setattr("ocr_frontend.settings.usable_cores", partial(cgroup.usable_cores, tmp_path / "none"))
    assert (load_settings().ocr_workers, load_settings().in_turns()) == (4, False)
    monkeypatch.setattr("ocr_frontend.settings.usable_cores", _with_quota(tmp_path))
    settings = load_settings()
    assert (settings.ocr_workers, settings.ocr_options().threads, settings.in_turns()) == (1, 2, True)


def test_help_lists_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["serve", "--help"])
    shown = capsys.readouterr().out
    assert end.value.code == 0
    assert all(f"OCR_FRONT_{name.upper()}" in shown for name in type(load_settings()).model_fields)


def test_lines_without_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lines", str(tmp_path)]) == 2
    assert "no images found" in capsys.readouterr().err


def _imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module not in ("server.auth.keys", "adapters.cgroup"):  # shared
            found.add((node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: file.name)
def test_imports_go_down(file: Path) -> None:
    forbidden = {"torch", "vllm", "transformers", "adapters", "server", "benchmarks", "rapidocr", "tests"}
    assert _imports(file) & forbidden == set()


def test_the_app_starts_light() -> None:
    heavy = {"torch", "vllm", "paddleocr", "paddlex", "onnxruntime", "openvino", "cv2"}
    code = f"import sys, ocr_frontend.api.app; print(sorted({heavy} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    assert out.stdout.strip() == "[]"


def test_settings_are_read_in_one_place() -> None:
    readers = {file.name for file in PACKAGE.rglob("*.py") if "os.environ" in file.read_text("utf-8")}
    # PaddleX takes its switches from the environment only; the cache folder is XDG's.
    assert readers == {"reader.py", "onnx_models.py"}

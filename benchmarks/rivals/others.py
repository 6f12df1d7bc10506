"""Rivals that run in environments of their own (`make bench-env`): llama.cpp, OpenVINO GenAI, ONNX Runtime GenAI.

What they serve is made of the same safetensors. Prefix caches are off, as prompts share nothing.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from adapters import bases
from adapters.settings import Settings
from benchmarks.harness.frame import say
from benchmarks.harness.models import EMBEDDED, Models
from benchmarks.rivals.environments import LLAMA, ONNX, OPENVINO, program
from benchmarks.rivals.environments import folder as environment_folder
from benchmarks.rivals.gguf_files import write_base, write_lora
from benchmarks.rivals.servers import Server

_SLOTS, _SLOT_TOKENS = 32, 512
_WORKERS = "benchmarks.rivals.workers"
_Command = tuple[str, list[str]]
"""A server's name and its command, in which `{threads}` and `{port}` stand for what they are."""


def others(folder: Path, shape: str, models: Models, threads: int, port: int) -> Iterator[Server]:
    """Those whose environment is there, on ports that follow each other from `port`; a word about each other one,
    and about one whose files cannot be made.

    A larger base has one file of each engine's, or the run would last too long.
    """
    for kind in (_llama, _openvino, _onnx):
        try:
            made = list(kind(folder, shape, models))
        except RuntimeError as error:
            say(f"a rival is left out: {error}")
            continue
        for name, command in made:
            told = {"{threads}": str(threads), "{port}": str(port)}
            yield Server(name, [told.get(word, word) for word in command], port)
            port += 1


def _llama(folder: Path, shape: str, models: Models) -> Iterator[_Command]:
    server, quantize = program(LLAMA, "llama-server"), program(LLAMA, "llama-quantize")
    if server is None or quantize is None:
        _left_out("llama.cpp", LLAMA)
        return
    whole, lora = _ggufs(folder, models)
    for form in ("Q8_0", "Q4_0", "Q4_K_M") if shape == EMBEDDED else ("Q8_0",):
        file = folder / f"base.{form}.gguf"
        _quiet([quantize, whole, file, form])
        yield f"llama.cpp {form}", [*_slots(server, file, lora), "--no-cache-prompt", "--cache-ram", "0"]


def _openvino(folder: Path, shape: str, models: Models) -> Iterator[_Command]:
    export, python = program(OPENVINO, "optimum-cli"), program(OPENVINO, "python")
    if export is None or python is None:
        _left_out("OpenVINO GenAI", OPENVINO)
        return
    base = _with_texts(folder, models, shape)
    out = folder / "openvino"
    options = ["--task", "text-generation-with-past", "--weight-format", "int8"]
    _quiet([export, "export", "openvino", "--model", base, *options, out])
    worker = [str(python), "-m", f"{_WORKERS}.openvino", str(out), str(models.adapters[0]), "{threads}", "{port}"]
    yield "OpenVINO GenAI INT8", worker


def _onnx(folder: Path, shape: str, models: Models) -> Iterator[_Command]:
    python = program(ONNX, "python")
    if shape != EMBEDDED:
        return
    if python is None:
        _left_out("ONNX Runtime GenAI", ONNX)
        return
    out = folder / "onnx"
    build = [python, "-m", "onnxruntime_genai.models.builder", "-i", models.base, "-o", out, "-p", "int8", "-e", "cpu"]
    _quiet([*build, "-c", folder / "onnx-cache", "--extra_options", f"adapter_path={models.adapters[0]}"])
    yield "ONNX Runtime GenAI INT8", [str(python), "-m", f"{_WORKERS}.onnx", str(out), "{threads}", "{port}"]


def _slots(server: Path, file: Path, lora: Path) -> list[str]:
    """A server that batches as many requests as it has slots."""
    command = [str(server), "-m", str(file), "--lora", str(lora), "-t", "{threads}", "-tb", "{threads}"]
    return [*command, "-np", str(_SLOTS), "-c", str(_SLOTS * _SLOT_TOKENS), "--port", "{port}"]


def _ggufs(folder: Path, models: Models) -> tuple[Path, Path]:
    whole, lora = folder / "base.BF16.gguf", folder / "lora.gguf"
    write_base(models.base, whole)
    write_lora(models.adapters[0], models.base, lora)
    return whole, lora


def _with_texts(folder: Path, models: Models, shape: str) -> Path:
    """The base with a tokenizer of texts, which the export converts too; random bases have one word a token."""
    if shape == EMBEDDED:
        return models.base
    copy = folder / "with-texts"
    copy.mkdir()
    for path in models.base.iterdir():
        if not path.name.startswith(("tokenizer", "special")):
            (copy / path.name).symlink_to(path)
    original = bases.resolve(EMBEDDED, Settings())
    for path in (*original.glob("tokenizer*"), *original.glob("special*")):
        shutil.copy(path, copy / path.name)
    return copy


def _left_out(name: str, environment: str) -> None:
    say(f"{name} is left out: there is no {environment_folder(environment)}, which `make bench-env` makes")


def _quiet(command: list[object]) -> None:
    """Run it; RuntimeError with its last output when it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{(done.stdout + done.stderr)[-1500:]}")

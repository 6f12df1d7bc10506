"""`make bench-env`: what the rivals run in, each in an environment of its own beside ours.

    python -m benchmarks.rivals.environments            all of them, about fifteen minutes on two cores
    python -m benchmarks.rivals.environments openvino   one

llama.cpp is compiled for this processor from the sources that llama-cpp-python ships: the wheel that there is
(xllamacpp) was built for AVX2 alone, which is not what a user of AVX-512 would run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

LLAMA, OPENVINO, ONNX = "llama", "openvino", "onnx"
_PACKAGES = {
    OPENVINO: ["openvino-genai==2026.4.1.0", "optimum-intel==2.2.0", "nncf==3.4.0", "torch==2.13.0+cpu"],
    ONNX: [
        "onnxruntime-genai==0.18.0", "onnxruntime==1.32.0", "onnx==1.23.2", "onnx-ir==1.1.0", "transformers==5.5.4",
        "peft==0.21.2", "safetensors==0.8.0", "torch==2.13.0+cpu",
    ],
}  # fmt: skip
# The package with the sources, where they lie in it, and what is built of them.
_SOURCES = {LLAMA: ("llama-cpp-python==0.3.36", "vendor/llama.cpp", ("llama-server", "llama-quantize"))}
_OFF = ("BUILD_SHARED_LIBS", "LLAMA_CURL", "LLAMA_OPENSSL", "LLAMA_BUILD_TESTS", "LLAMA_BUILD_EXAMPLES",
        "LLAMA_BUILD_APP", "LLAMA_BUILD_UI", "LLAMA_USE_PREBUILT_UI")  # fmt: skip
_NEVER = "torchvision; python_version < '3'\n"  # optimum asks for it; a CUDA build would come, which text needs not


def folder(name: str) -> Path:
    """Where the environment `name` lies."""
    return Path(f".venv-bench-{name}")


def program(name: str, called: str) -> Path | None:
    """A program of that environment; None where it is not there."""
    path = folder(name) / "bin" / called
    return path if path.exists() else None


def pinned() -> dict[str, str]:
    """What each environment is there for, with its version."""
    return {name: packages[0] for name, packages in _PACKAGES.items()} | {n: told[0] for n, told in _SOURCES.items()}


def main() -> int:
    """Make those that are asked for. 1 when one could not be made; the others are."""
    names = [*_PACKAGES, *_SOURCES]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rivals.environments", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)} (default: all)")
    failed = []
    for name in parser.parse_args().names or names:
        try:
            (_install if name in _PACKAGES else _compile)(name)
            print(f"{folder(name)} is ready", flush=True)
        except (subprocess.CalledProcessError, KeyError) as error:
            failed.append(name)
            print(f"{folder(name)} could not be made: {error}", flush=True)
    return 1 if failed else 0


def _install(name: str) -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "-q", "--allow-existing", "--python", "3.11", str(folder(name))], check=True)
    found = os.environ.get("UV_FIND_LINKS") or os.environ.get("PIP_FIND_LINKS", "")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as overrides:
        overrides.write(_NEVER)
        overrides.flush()
        into = ["--python", str(folder(name) / "bin/python"), "--override", overrides.name]
        command = [uv, "pip", "install", "-q", *into, *_PACKAGES[name]]
        subprocess.run(command, check=True, env={**os.environ, "UV_FIND_LINKS": found})


def _compile(name: str) -> None:
    package, inside, programs = _SOURCES[name]
    binaries = (folder(name) / "bin").absolute()
    binaries.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        # Its build asks for tools in wheels, so only the package itself comes as sources.
        sources_of = ["--no-binary", package.partition("==")[0], package]
        pip = ["python3", "-m", "pip", "download", "-q", "--no-deps", "--dest", scratch]
        subprocess.run([*pip, *sources_of], check=True)
        (archive,) = Path(scratch).glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(scratch, filter="data")
        (sources,) = Path(scratch).glob(f"*/{inside}")
        build = Path(scratch) / "build"
        switches = [f"-D{switch}=OFF" for switch in _OFF]
        configure = ["cmake", "-S", str(sources), "-B", str(build), "-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=ON"]
        subprocess.run([*configure, *switches], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["cmake", "--build", build, "-j", str(os.cpu_count()), "--target", *programs], check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        for one in programs:
            (binaries / one).write_bytes((build / "bin" / one).read_bytes())
            (binaries / one).chmod(0o755)


if __name__ == "__main__":
    sys.exit(main())

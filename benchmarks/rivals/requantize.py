"""In llama.cpp's environment: `python -m benchmarks.rivals.requantize FROM.gguf TO.gguf` writes Q8_0, for its speed."""

import ctypes
import sys

import llama_cpp


def main(source: str, target: str) -> int:
    """0 when written."""
    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype, options.allow_requantize = llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0, True
    return int(llama_cpp.llama_model_quantize(source.encode(), target.encode(), ctypes.byref(options)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

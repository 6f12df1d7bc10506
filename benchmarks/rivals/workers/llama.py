"""llama.cpp, in its environment: `python -m benchmarks.rivals.workers.llama MODEL.gguf LORA.gguf THREADS PORT`."""

import sys

from llama_cpp import Llama

from benchmarks.rivals.workers.http import serve


def main(model: str, lora: str, threads: str, port: str) -> None:
    """Load, then answer until ended. An empty LORA serves the base alone."""
    options = {"n_ctx": 2048, "n_threads": int(threads), "n_threads_batch": int(threads), "verbose": False}
    llama = Llama(model, lora_path=lora or None, **options)

    def answer(prompt: list[int], tokens: int) -> list[int]:
        llama.reset()  # no prefix of an earlier prompt is kept: as the others start
        made: list[int] = []
        for token in llama.generate(prompt, temp=0.0):
            made.append(token)
            if len(made) == tokens:
                break
        return made

    serve(int(port), answer)


if __name__ == "__main__":
    main(*sys.argv[1:])

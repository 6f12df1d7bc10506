"""ONNX Runtime GenAI, in its environment: `python -m benchmarks.rivals.workers.onnx FOLDER 2 8231` (threads, port).

`FOLDER`: what `onnxruntime_genai.models.builder` wrote, with the adapter in it, beside the base's layers.
"""

import json
import sys

import numpy as np
import onnxruntime_genai as og

from benchmarks.rivals.workers.http import in_batches, serve


def main(folder: str, threads: str, port: str) -> None:
    """Load, then answer until ended."""
    config = og.Config(folder)
    config.overlay(json.dumps({"model": {"decoder": {"session_options": {"intra_op_num_threads": int(threads)}}}}))
    model = og.Model(config)

    def answer(prompts: list[list[int]], tokens: int) -> list[list[int]]:
        length = len(prompts[0]) + tokens
        params = og.GeneratorParams(model)
        params.set_search_options(batch_size=len(prompts), min_length=length, max_length=length, do_sample=False)
        generator = og.Generator(model, params)
        generator.append_tokens(np.array(prompts, dtype=np.int32))
        while not generator.is_done():
            generator.generate_next_token()
        return [list(generator.get_sequence(row)[len(prompts[0]) :]) for row in range(len(prompts))]

    serve(int(port), in_batches(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])

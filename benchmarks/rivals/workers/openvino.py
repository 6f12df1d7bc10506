"""OpenVINO GenAI, in its environment: `python -m benchmarks.rivals.workers.openvino FOLDER ADAPTER 2 8231`.

`FOLDER`: what `optimum-cli export openvino` wrote. The adapter is given when the pipeline is made: requests that are
added one by one, which is what batches them while others run, take no other (MODE_STATIC).
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import openvino_genai as genai

from benchmarks.rivals.workers.http import Waiting, Waits, serve

_CACHE_GB = 1


def main(folder: str, adapter: str, threads: str, port: str) -> None:
    """Load, then answer until ended."""
    lora = json.loads((Path(adapter) / "adapter_config.json").read_text())
    weights = genai.Adapter(str(Path(adapter) / "adapter_model.safetensors"))
    scale = lora["lora_alpha"] / lora["r"]  # PEFT's file of weights does not hold it
    adapters = genai.AdapterConfig(weights, scale, genai.AdapterConfig.Mode.MODE_STATIC)
    scheduler = genai.SchedulerConfig()
    scheduler.cache_size = _CACHE_GB
    scheduler.enable_prefix_caching = False
    options = {"INFERENCE_NUM_THREADS": int(threads), "adapters": adapters}
    pipeline = genai.ContinuousBatchingPipeline(folder, scheduler, "CPU", options)
    serve(int(port), lambda waits: _loop(pipeline, adapters, waits))


def _loop(pipeline: Any, adapters: Any, waits: Waits) -> None:
    """Take in what waits between two steps, as a server of continuous batching does."""
    running: list[tuple[Waiting, Any, list[int]]] = []
    number = 0
    while True:
        while not running or not waits.empty():
            waiting = waits.get()
            handle = pipeline.add_request(
                number, openvino.Tensor(np.array([waiting.prompt])), _wanted(waiting, adapters)
            )
            running.append((waiting, handle, []))
            number += 1
        pipeline.step()
        for waiting, handle, made in running:
            while handle.can_read():
                made.extend(token for output in handle.read().values() for token in output.generated_ids)
            if handle.get_status() != genai.GenerationStatus.RUNNING:
                waiting.made.set_result(len(made))
        running = [one for one in running if not one[0].made.done()]


def _wanted(waiting: Waiting, adapters: Any) -> Any:
    config = genai.GenerationConfig()
    config.max_new_tokens, config.ignore_eos, config.do_sample = waiting.tokens, True, False
    config.adapters = adapters
    return config


if __name__ == "__main__":
    main(*sys.argv[1:])

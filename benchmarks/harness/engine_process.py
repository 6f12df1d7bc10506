"""A vLLM engine in a process of its own, asked through a pipe: its memory is its own, and it ends with its block."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.harness.preload import launched

_OURS = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_LOGGING_LEVEL": "ERROR", "VLLM_PLUGINS": "cni_cpu_lora",
         "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}  # fmt: skip
Start = Callable[[], Callable[[Any], Any]]


class EngineProcess:
    """A context manager. `start` makes the engine there and gives what answers one question; it must be importable.

    `environment`: the process's, set before anything of vLLM is imported. `preload`: off: as vLLM starts by itself.
    """

    def __init__(self, start: Start, environment: Mapping[str, str], preload: bool = True) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, start, dict(environment)), daemon=True)
        # What a loader or an OpenMP runtime reads, it reads when the process begins.
        with launched(environment) if preload else contextlib.nullcontext():
            self._process.start()
        theirs.close()

    def __enter__(self) -> EngineProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()
        self._process.join(timeout=20)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()

    def ask(self, question: Any) -> Any:
        """The answer. Raises RuntimeError where the engine failed or its process ended."""
        try:
            self._pipe.send(question)
            answered, said = self._pipe.recv()
        except (EOFError, OSError):
            raise RuntimeError("the engine's process ended (too little memory?); its own messages say why") from None
        if not answered:
            raise RuntimeError(f"the engine failed: {said}")
        return said


def _serve(pipe: Connection, start: Start, environment: Mapping[str, str]) -> None:
    os.environ |= {**_OURS, **environment}
    try:
        answer = start()
        while True:
            pipe.send((True, answer(pipe.recv())))
    except EOFError:
        os._exit(0)
    except Exception as error:  # the parent shows it; this process has nowhere else to say it
        pipe.send((False, repr(error)))

"""The standard library's HTTP server before a loop of the main thread that answers what waits, several at once.

Only the standard library is imported here: workers run in environments of their own.
"""

import json
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_GATHERED_SECONDS = 0.02
"""A batch waits so long for others after its first request, as batching servers do."""


@dataclass
class Waiting:
    """A prompt's token ids, how many new ones are wanted, and the number of those that were made."""

    prompt: list[int]
    tokens: int
    made: "Future[int]" = field(default_factory=Future)


Waits = queue.SimpleQueue[Waiting]
AnswerBatch = Callable[[list[list[int]], int], list[list[int]]]
"""Prompts and a number of new tokens in, that many token ids of each out (greedy, no stop)."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


def serve(port: int, loop: Callable[[Waits], None]) -> None:
    """`POST /v1/completions` with `prompt` (token ids) and `max_tokens`; `GET /health`. `loop` never returns."""
    waits: Waits = queue.SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send({})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            waiting = Waiting(body["prompt"], body["max_tokens"])
            waits.put(waiting)
            self._send({"usage": {"completion_tokens": waiting.made.result()}})

        def _send(self, body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Quiet: no line a request."""

    threading.Thread(target=_Server(("127.0.0.1", port), Handler).serve_forever, daemon=True).start()
    loop(waits)


def in_batches(answer: AnswerBatch, most: int = 32) -> Callable[[Waits], None]:
    """A loop that gives `answer` all that wait, `most` at a time; all of a batch want as many tokens."""

    def loop(waits: Waits) -> None:
        while True:
            batch = _gathered(waits, most)
            for one, made in zip(batch, answer([one.prompt for one in batch], batch[0].tokens), strict=True):
                one.made.set_result(len(made))

    return loop


def _gathered(waits: Waits, most: int) -> list[Waiting]:
    batch = [waits.get()]
    until = time.monotonic() + _GATHERED_SECONDS
    while len(batch) < most:
        try:
            batch.append(waits.get(timeout=max(0.0, until - time.monotonic())))
        except queue.Empty:
            break
    return batch

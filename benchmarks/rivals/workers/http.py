"""One worker: requests wait in the listening socket's queue and are answered one after the other."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer

Answer = Callable[[list[int], int], list[int]]
"""A prompt's token ids and a number of new tokens in, that many token ids out (greedy, no stop)."""


class _Server(HTTPServer):
    request_queue_size = 128


def serve(port: int, answer: Answer) -> None:
    """`POST /v1/completions` with `prompt` (token ids) and `max_tokens`; `GET /health`. Runs until it is ended."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send({})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._send({"usage": {"completion_tokens": len(answer(body["prompt"], body["max_tokens"]))}})

        def _send(self, body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Quiet: no line a request."""

    _Server(("127.0.0.1", port), Handler).serve_forever()

"""A model server that knows nothing, for benchmarks of what stands in front of it: it waits, then answers nulls.

    python -m benchmarks.front.stand_in --port 8299 --seconds 0.5

What is measured against it says so: `"server": "stand-in"`.
"""

import argparse
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from adapters.data.documents import DOCUMENT_NAMES, fields_of

_DOCUMENTS = {name: {"prefix": f"{name}\n", "fields": list(fields_of(name))} for name in DOCUMENT_NAMES}
_CONTRACT = {"answer": "lines", "line": "{text} {index}\n", "suffix": "", "documents": _DOCUMENTS}
_CARDS = [{"id": "base"}, {"id": "cni", "parent": "base", "prompt": _CONTRACT}]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seconds = 0.5

    def do_GET(self) -> None:
        self._answer({"data": _CARDS} if self.path == "/v1/models" else {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        time.sleep(self.seconds)
        fields = len(_DOCUMENTS[body["prompt"].partition("\n")[0]]["fields"])
        choice = {"text": json.dumps([None] * fields), "finish_reason": "stop"}
        self._answer({"model": "cni", "choices": [choice], "usage": {"prompt_tokens": 240, "completion_tokens": 21}})

    def _answer(self, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Prompts hold card texts: nothing is logged."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


def main() -> int:
    """Serve until it is ended."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.front.stand_in", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=0.5, help="until an answer (default: %(default)s)")
    args = parser.parse_args()
    handler = type("_Slow", (_Handler,), {"seconds": args.seconds})
    _Server(("127.0.0.1", args.port), handler).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())

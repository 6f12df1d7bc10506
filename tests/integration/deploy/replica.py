"""A model server's manners without a model: `replica.py PORT SECONDS [HOST]`. Drains on SIGTERM, names its address."""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT, SECONDS = int(sys.argv[1]), float(sys.argv[2])
HOST = "".join(sys.argv[3:]) or "127.0.0.1"


class Replica(ThreadingHTTPServer):
    """`running` counts the answers that are being written."""

    daemon_threads = True
    draining = False
    running = 0
    lock = threading.Lock()

    def drain(self) -> None:
        self.draining = True
        while self.running:
            time.sleep(0.02)
        os._exit(0)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Replica

    def do_GET(self) -> None:
        self._answer(503 if self.server.draining and self.path == "/ready" else 200, {"port": PORT})

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            refused = self.server.draining
            self.server.running += not refused
        if refused:
            self._answer(503, {})
            return
        time.sleep(SECONDS)
        self._answer(200, {"host": HOST, "port": PORT, "sent": sent, "headers": dict(self.headers)})
        with self.server.lock:
            self.server.running -= 1

    def _answer(self, status: int, body: dict[str, object]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Quiet."""


server = Replica((HOST, PORT), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.drain).start())
server.serve_forever()

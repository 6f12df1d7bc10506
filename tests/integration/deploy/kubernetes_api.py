"""Kubernetes' interface as far as a watcher of pods asks it: a list, then every change of it. Keeps what was asked."""

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

_ENDS = None  # in a watcher's queue


class KubernetesApi:
    """Listens on a port that the system gave. `asked`: verb and path of every request."""

    def __init__(self) -> None:
        self.asked: set[tuple[str, str]] = set()
        self._version = 1
        self._pods: dict[str, dict[str, Any]] = {}
        self._watchers: list[queue.Queue[dict[str, Any] | None]] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def set(self, name: str, ip: str, label: str, *, ready: bool, ends: bool = False) -> None:
        """A pod is there, or changed. `ends`: Kubernetes was told to delete it."""
        with self._lock:
            self._version += 1
            metadata = {
                "name": name, "labels": {"app.kubernetes.io/name": label}, "resourceVersion": str(self._version),
                **({"deletionTimestamp": "2026-01-01T00:00:00Z"} if ends else {}),
            }  # fmt: skip
            status = {
                "phase": "Running", "podIP": ip, "conditions": [{"type": "Ready", "status": str(ready)}],
            }  # fmt: skip
            kind = "MODIFIED" if name in self._pods else "ADDED"
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": status}
            self._pods[name] = pod
            for watcher in self._watchers:
                watcher.put({"type": kind, "object": pod})

    def write_kubeconfig(self, path: Path) -> Path:
        """For a client that looks at KUBECONFIG."""
        url = f"http://127.0.0.1:{self._server.server_port}"
        configuration = {
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{"name": "here", "cluster": {"server": url}}],
            "users": [{"name": "here", "user": {}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "here"}}],
        }  # fmt: skip
        path.write_text(yaml.safe_dump(configuration))
        return path

    def close(self) -> None:
        """End every watch and stop listening."""
        with self._lock:
            for watcher in self._watchers:
                watcher.put(_ENDS)
        self._server.shutdown()
        self._server.server_close()

    def _listed(self) -> dict[str, Any]:
        with self._lock:
            version, pods = str(self._version), list(self._pods.values())
        return {"apiVersion": "v1", "kind": "PodList", "metadata": {"resourceVersion": version}, "items": pods}

    def _watch(self) -> "queue.Queue[dict[str, Any] | None]":
        watcher: queue.Queue[dict[str, Any] | None] = queue.Queue()
        with self._lock:
            self._watchers.append(watcher)
        return watcher

    def _handler(api) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                watch = parse_qs(url.query).get("watch") == ["true"]
                api.asked.add(("watch" if watch else "list", url.path))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                if not watch:
                    self.wfile.write(json.dumps(api._listed()).encode())
                    return
                changes = api._watch()
                self.wfile.flush()
                while (change := changes.get()) is not _ENDS:
                    self.wfile.write(json.dumps(change).encode() + b"\n")

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler

"""As much of a model hub as fetching and uploading a repository's files needs, on loopback, from a folder."""

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_of_the_small_hub"  # who has it may write
_COMMIT = "0" * 40


class _Handler(BaseHTTPRequestHandler):
    root: Path
    missing_bytes = 0

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/[^/]+)?", path):
            self._repository(match[1])
        elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/[^/]+(?:/.*)?", path):
            self._tree(match[1])
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path):
            self._file(self.root / match[1] / match[2])
        else:
            self._missing()

    do_HEAD = do_GET

    def do_POST(self) -> None:
        path = unquote(urlsplit(self.path).path)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            self._answer(401, b"{}", {})
        elif path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}" if asked.get("organization") else asked["name"]
            (self.root / name).mkdir(parents=True, exist_ok=True)
            self._json({"url": f"{self._address}/{name}"})
        elif path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif re.fullmatch(r"/api/models/[^/]+/[^/]+/preupload/main", path):
            files = [{**file, "uploadMode": "regular", "shouldIgnore": False} for file in json.loads(body)["files"]]
            self._json({"files": files})
        elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/commit/main", path):
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    content = base64.b64decode(line["value"]["content"])
                    (self.root / match[1] / line["value"]["path"]).write_bytes(content)
            self._json({"commitUrl": f"{self._address}/{match[1]}/commit/{_COMMIT}", "commitOid": _COMMIT})
        else:
            self._missing()

    @property
    def _address(self) -> str:
        return f"http://{self.headers['host']}"

    def _repository(self, name: str) -> None:
        if (self.root / name).is_dir():
            self._json({"id": name, "sha": _COMMIT, "siblings": [], "tags": [], "private": False})
        else:
            self._missing()

    def _tree(self, name: str) -> None:
        files = [path for path in sorted((self.root / name).iterdir()) if path.is_file()]
        self._json([{"type": "file", "path": f.name, "size": f.stat().st_size, "oid": _COMMIT} for f in files])

    def _file(self, path: Path) -> None:
        if not path.is_file():
            self._missing()
            return
        content = path.read_bytes()
        first, last = 0, len(content) - 1
        if match := re.match(r"bytes=(\d+)-(\d+)", self.headers.get("range", "")):
            first, last = int(match[1]), min(int(match[2]), last)
        part = content[first : last + 1]
        if path.suffix == ".safetensors" and self.missing_bytes:
            part = part[: -self.missing_bytes]
        self._answer(206 if "range" in self.headers else 200, part, {"x-repo-commit": _COMMIT, "etag": '"0"'})

    def _missing(self) -> None:
        self._answer(404, b"{}", {"x-error-code": "RepoNotFound"})

    def _json(self, value: Any) -> None:
        self._answer(200, json.dumps(value).encode(), {"content-type": "application/json"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


@contextmanager
def small_hub(root: Path, missing_bytes: int = 0) -> Iterator[str]:
    """Its address. `root/owner/name/` is a repository; weights come `missing_bytes` short."""
    handler = type("Handler", (_Handler,), {"root": root, "missing_bytes": missing_bytes})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()

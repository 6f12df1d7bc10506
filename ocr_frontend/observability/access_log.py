"""Who looked at whose data when: one JSON object a line, appended to a file. Never a value, a text or an image."""

import asyncio
import json
import logging
import os
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

log = logging.getLogger("ocr_frontend")
_ROUTES = (
    "/v1/extract",
    "/v1/extract-lines",
    "/v1/cards",
    "/upload",
    "/v1/jobs",
    "/v1/jobs/{job_id}",
    "/v1/results/{answer_id}",
    "/v1/corrections",
)
_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


class AccessLog:
    """path: of the file, made with mode 0600; None writes nothing. failures: lines that could not be written."""

    def __init__(self, path: Path | None) -> None:
        """Raises OSError where the file cannot be written."""
        self._path = path
        self.failures = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="access")  # lines in order, and never on the event loop
        if path is not None:
            os.close(self._open(path))

    def request(self, scope: Any, route: str, status: int) -> None:
        """Note a request, where its route deals with somebody's data."""
        if self._path is None or route not in _ROUTES:
            return
        state = scope.get("state", {})
        job = scope.get("path_params", {}).get("job_id", "")
        self.note(
            f"{scope['method']} {route}",
            request_id=state.get("request_id"),
            key=state.get("key_id"),
            job=job if _ID.fullmatch(job) else state.get("job_id"),
            status=status,
        )

    def note(self, action: str, **facts: str | int | None) -> None:
        """Append a line, soon."""
        if self._path is None:
            return
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"time": moment, "action": action} | {name: fact for name, fact in facts.items() if fact is not None}
        asyncio.get_running_loop().run_in_executor(self._thread, self._append, json.dumps(line) + "\n")

    def _append(self, line: str) -> None:
        assert self._path is not None
        try:
            file = self._open(self._path)
            try:
                os.write(file, line.encode())
            finally:
                os.close(file)
        except OSError as error:
            self.failures += 1
            log.error("the access log cannot be written (%s)", error.strerror)

    @staticmethod
    def _open(path: Path) -> int:
        """Anew for each line: whoever rotates the file needs to tell nobody."""
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def close(self) -> None:
        """Write what is waiting."""
        self._thread.shutdown(wait=True)

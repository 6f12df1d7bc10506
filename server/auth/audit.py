"""The audit log: who did what when with which result, one JSON line an admin action. Never a key, never a prompt."""

import datetime
import json
import logging
from pathlib import Path
from typing import Any

_log = logging.getLogger("server.audit")


class Audit:
    """Appends to a file. A disk that is full does not undo what was done: the line then goes to the log alone."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, who: str, action: str, what: dict[str, Any], result: str) -> None:
        """`who`: the key's id. `result`: "ok" or the refusal's sentence."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "who": who, "action": action, **what, "result": result}, ensure_ascii=False)
        _log.info("%s", line)
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            _log.error("the audit file cannot be written: %s", error.strerror)

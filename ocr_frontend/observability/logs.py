"""How log lines are written: as text for a person, or as one JSON object a line for a machine."""

import json
import logging
import time
from typing import Any

TEXT = "%(asctime)s %(levelname)s %(name)s %(message)s"
# What a line may carry besides its message (`extra=`); the model server writes the same names.
FIELDS = ("request_id", "method", "route", "status", "duration_ms")


class JsonFormatter(logging.Formatter):
    """`time` in UTC, `level`, `logger`, `message`, and those of FIELDS that the line has."""

    def format(self, record: logging.LogRecord) -> str:
        """One line. Of an exception its type alone: its message may hold anything."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {"time": f"{moment}.{int(record.msecs):03d}Z", "level": record.levelname}
        line |= {"logger": record.name, "message": record.getMessage()}
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=False)


def configure(style: str) -> None:
    """`text` or `json`, for everything that logs in this process."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if style == "json" else logging.Formatter(TEXT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
